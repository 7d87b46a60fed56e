/** The Load panel: a code in, a text out. */

import { readCode, whyNoCode } from "../core/codes.js";
import { NoText } from "../core/errors.js";
import { sealedCode } from "../core/pasted.js";
import { canSeal } from "../core/seal.js";
import { makeAlert } from "./alert.js";
import { makeToggle, onSubmit, byPart } from "./dom.js";
import { watchKeys } from "./keys.js";
import { makeLoaded } from "./loaded.js";

/** @typedef {import("./loaded.js").Shown} Shown */

/**
 * @param {object} options
 * @param {HTMLElement} options.root
 * @param {ReturnType<typeof import("../core/reading.js").makeReader>} options.reader
 * @param {import("./translator.js").Translator} options.translator
 * @param {(text: string) => Promise<boolean>} options.copy
 * @param {import("./loaded.js").Actions} [options.actions]
 * @param {(shown: Shown | null) => Promise<void>} [options.showing] told what is shown now, before it counts as seen
 * @param {(code: string) => void} [options.typed]
 */
export function makeLoadPanel({ root, reader, translator, copy, actions = {}, showing = async () => {}, typed = () => {} }) {
  /** @type {HTMLFormElement} */
  const form = byPart(root, "load-form");
  /** @type {HTMLInputElement} */
  const field = byPart(root, "code-field");
  /** @type {HTMLInputElement} */
  const password = byPart(root, "load-password");
  const lock = byPart(root, "lock");
  const button = byPart(root, "load");
  /** @type {Record<string, HTMLElement>} what a refusal may name */
  const fields = { code: field, password };
  const alert = makeAlert(byPart(root, "load-alert"), translator);
  const toggle = makeToggle(password, byPart(root, "show-load-password"), translator);
  const keys = watchKeys(field);
  const loaded = makeLoaded({ root: byPart(root, "loaded"), translator, copy, actions, cleared });

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
      translator.setText(button, password.value ? "opening" : "loading");
      const { seen, ...found } = await reader.load(code, password.value, promised !== null);
      const shown = { ...found, code };
      reset();
      loaded.show(shown);
      await showing(shown);
      await seen();
    } catch (error) {
      tell(error);
    } finally {
      translator.setText(button, "load");
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

  byPart(root, "lock-hint").hidden = canSeal();
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
