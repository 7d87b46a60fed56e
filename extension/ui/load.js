/** The Load panel: a code in, a text out. */

import { readCode, whyNoCode } from "../core/codes.js";
import { NoText } from "../core/errors.js";
import { sealedCode } from "../core/pasted.js";
import { canSeal } from "../core/seal.js";
import { makeAlert } from "./alert.js";
import { makeToggle, onSubmit, part } from "./dom.js";
import { watchKeys } from "./keys.js";
import { makeLoaded } from "./loaded.js";

/** @typedef {import("./loaded.js").Shown} Shown */

/**
 * @param {object} wiring
 * @param {HTMLElement} wiring.root
 * @param {ReturnType<typeof import("../core/reading.js").makeReader>} wiring.reader
 * @param {import("./labels.js").Labels} wiring.labels
 * @param {(text: string) => Promise<boolean>} wiring.copy
 * @param {import("./loaded.js").Deeds} [wiring.deeds]
 * @param {(shown: Shown | null) => Promise<void>} [wiring.showing] told what is shown now, before it counts as seen
 * @param {(code: string) => void} [wiring.typed]
 */
export function makeLoadPanel({ root, reader, labels, copy, deeds = {}, showing = async () => {}, typed = () => {} }) {
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
  const alert = makeAlert(part(root, "load-alert"), labels);
  const toggle = makeToggle(password, part(root, "show-load-password"), labels);
  const keys = watchKeys(field);
  const loaded = makeLoaded({ root: part(root, "loaded"), labels, copy, deeds, cleared });

  /** The code of a link that promised a sealed text. @type {string | null} */
  let promised = null;
  let isAsked = false;

  async function load() {
    alert.clear();
    const code = keys.read();
    if (!code) return alert.say(whyNoCode(field.value), undefined, field);
    if (loaded.isOnlyHere() && !isAsked) {
      isAsked = true;
      return alert.say("not_copied");
    }
    promised = sealedCode(field.value) ?? (promised === code ? code : null);
    try {
      // Deriving takes a moment; a button that says nothing would seem stuck.
      labels.put(button, password.value ? "opening" : "loading");
      const { seen, ...found } = await reader.load(code, password.value, promised !== null);
      const shown = { ...found, code };
      reset();
      loaded.show(shown);
      await showing(shown);
      await seen();
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

  function cleared() {
    showing(null);
    field.focus();
  }

  function reset() {
    isAsked = false;
    promised = null;
    form.reset();
    typed("");
    toggle.hide();
    lock.hidden = true;
  }

  part(root, "lock-hint").hidden = canSeal();
  field.addEventListener("input", () => typed(field.value));
  onSubmit(form, button, load);
  return {
    /**
     * Fill in a code, however it is written. Nothing is loaded before a person asks for it: a link may be opened
     * by a scanner or by another page, and a one-time text ends with its first reading.
     * @param {string} given
     */
    open(given) {
      const code = readCode(given);
      this.fill(code ?? given);
      alert.clear();
      if (!code) return alert.say(whyNoCode(given), undefined, field);
      promised = sealedCode(given);
      lock.hidden = promised === null;
      (promised === null ? button : password).focus();
      return undefined;
    },

    isOnlyHere: loaded.isOnlyHere,

    /** @param {string} given */
    fill(given) {
      field.value = given;
    },

    focus: () => field.focus(),
    show: loaded.show,
  };
}
