/** The Load panel: a code in, a text out. */

import { readCode } from "../core/codes.js";
import { NoText } from "../core/errors.js";
import { charactersOf } from "../core/limits.js";
import { makeReader } from "../core/reading.js";
import { canSeal } from "../core/seal.js";
import { makeAlert } from "./alert.js";
import { makeCountdown } from "./countdown.js";
import { turn } from "./direction.js";
import { copyText, makeToggle, onSubmit, part } from "./dom.js";

/**
 * @param {object} wiring
 * @param {HTMLElement} wiring.root
 * @param {ReturnType<typeof import("../core/api.js").makeApi>} wiring.api
 * @param {import("./labels.js").Labels} wiring.labels
 */
export function makeLoadPanel({ root, api, labels }) {
  /** @type {HTMLFormElement} */
  const form = part(root, "load-form");
  /** @type {HTMLInputElement} */
  const field = part(root, "code-field");
  /** @type {HTMLInputElement} */
  const password = part(root, "load-password");
  const lock = part(root, "lock");
  const button = part(root, "load");
  /** @type {Record<string, HTMLElement>} what a refusal may name */
  const fields = { code: field, password };
  const reader = makeReader({ api });
  const alert = makeAlert(part(root, "load-alert"), labels);
  const toggle = makeToggle(password, part(root, "show-load-password"), labels);
  const loaded = makeLoaded({ root: part(root, "loaded"), labels, cleared: () => field.focus() });

  async function load() {
    alert.clear();
    const code = readCode(field.value);
    if (!code) return alert.say("bad_code", undefined, field);
    try {
      // Deriving takes a moment; a button that says nothing would seem stuck.
      if (password.value) labels.put(button, "opening");
      const found = await reader.load(code, password.value);
      reset();
      loaded.show(code, found);
      found.seen();
    } catch (error) {
      tell(error);
    } finally {
      labels.put(button, "load");
    }
  }

  /** @param {any} error */
  function tell(error) {
    if (error instanceof NoText) {
      alert.tell(error);
      lock.hidden = false;
      return password.focus();
    }
    return alert.tell(error, fields[error.field]);
  }

  function reset() {
    form.reset();
    toggle.hide();
    lock.hidden = true;
  }

  part(root, "lock-hint").hidden = canSeal();
  onSubmit(form, button, load);
  return {
    /** Fill in a code, however it is written, and load at once. @param {string} given */
    open(given) {
      field.value = readCode(given) ?? given;
      field.focus();
      form.requestSubmit();
    },
  };
}

/**
 * @param {object} wiring
 * @param {HTMLElement} wiring.root
 * @param {import("./labels.js").Labels} wiring.labels
 * @param {() => void} wiring.cleared
 */
function makeLoaded({ root, labels, cleared }) {
  /** @type {HTMLTextAreaElement} */
  const shown = part(root, "loaded-text");
  const status = part(root, "loaded-status");
  const left = part(root, "loaded-left");
  const oneTime = part(root, "one-time");
  const countdown = makeCountdown(left, "left", labels);
  // Kept beside the text area, which turns CRLF into LF.
  let text = "";

  function clear() {
    text = "";
    shown.value = "";
    countdown.stop();
    labels.clear(status);
    root.hidden = true;
    cleared();
  }

  async function copy() {
    labels.clear(status);
    labels.put(status, (await copyText(text)) ? "text_copied" : "copy_failed");
  }

  part(root, "copy-text").addEventListener("click", copy);
  part(root, "clear").addEventListener("click", clear);
  return {
    /** @param {string} code @param {import("../core/reading.js").Read} found */
    show(code, found) {
      ({ text } = found);
      shown.value = text;
      turn(shown);
      labels.clear(status);
      labels.put(part(root, "loaded-heading"), "text_under", () => ({ code }));
      labels.put(part(root, "loaded-size"), "size", (words) => ({
        characters: words.count("characters", charactersOf(text)),
      }));
      oneTime.hidden = !found.once;
      if (found.once) countdown.stop();
      else countdown.start(found.secondsLeft, () => labels.put(left, "left_none"));
      root.hidden = false;
      shown.focus();
      shown.setSelectionRange(0, 0);
      shown.scrollTop = 0;
    },
  };
}
