/** The Load panel: a code in, a text out. */

import { readCode, whyNoCode } from "../core/codes.js";
import { NoText } from "../core/errors.js";
import { codeOfSealedLink } from "../core/codeSearch.js";
import { canSeal } from "../core/seal.js";
import { makeAlert } from "./alert.js";
import { makePasswordToggle, onSubmit, byPart } from "./dom.js";
import { makeCodeField } from "./codeField.js";
import { makeLoadedText } from "./loadedText.js";

/** @typedef {import("./loadedText.js").Shown} Shown */

/**
 * @param {object} options
 * @param {HTMLElement} options.root
 * @param {ReturnType<typeof import("../core/reading.js").makeReader>} options.reader
 * @param {import("./i18n.js").I18n} options.i18n
 * @param {(text: string) => Promise<boolean>} options.copy
 * @param {import("./loadedText.js").Actions} [options.actions]
 * @param {(shown: Shown | null) => Promise<void>} [options.onShown] told what is shown now, before it counts as seen
 * @param {(code: string) => void} [options.onCodeTyped]
 */
export function makeLoadPanel({ root, reader, i18n, copy, actions = {}, onShown = async () => {}, onCodeTyped = () => {} }) {
  /** @type {HTMLFormElement} */
  const form = byPart(root, "load-form");
  /** @type {HTMLInputElement} */
  const field = byPart(root, "code-field");
  /** @type {HTMLInputElement} */
  const password = byPart(root, "load-password");
  const passwordRow = byPart(root, "password-row");
  const button = byPart(root, "load");
  /** @type {Record<string, HTMLElement>} what a refusal may name */
  const fields = { code: field, password };
  const alert = makeAlert(byPart(root, "load-alert"), i18n);
  const toggle = makePasswordToggle(password, byPart(root, "show-load-password"), i18n);
  const codeField = makeCodeField(field);
  const loaded = makeLoadedText({ root: byPart(root, "loaded"), i18n, copy, actions, onCleared });

  /** The code of a link that promised a sealed text. @type {string | null} */
  let sealedLinkCode = null;
  let isConfirming = false;

  async function load() {
    alert.clear();
    const code = codeField.read();
    if (!code) return showNoCode(field.value);
    if (loaded.isOnlyCopy() && !isConfirming) {
      isConfirming = true;
      return alert.show("not_copied");
    }
    sealedLinkCode = codeOfSealedLink(field.value) ?? (sealedLinkCode === code ? code : null);
    try {
      // Deriving takes a moment; a button that says nothing would seem stuck.
      i18n.setText(button, password.value ? "opening" : "loading");
      const { acknowledge, ...found } = await reader.load(code, password.value, sealedLinkCode !== null);
      const shown = { ...found, code };
      reset();
      loaded.show(shown);
      await onShown(shown);
      await acknowledge();
    } catch (error) {
      showError(error);
    } finally {
      i18n.setText(button, "load");
    }
  }

  /** @param {string} given */
  function showNoCode(given) {
    const [key, values] = whyNoCode(given);
    alert.show(key, values, field);
  }

  /** @param {any} error */
  function showError(error) {
    if (error instanceof NoText) {
      alert.showError(error);
      passwordRow.hidden = false;
      return password.focus();
    }
    return alert.showError(error, fields[error.field]);
  }

  function onCleared() {
    onShown(null);
    field.focus();
  }

  function reset() {
    isConfirming = false;
    sealedLinkCode = null;
    form.reset();
    onCodeTyped("");
    toggle.hide();
    passwordRow.hidden = true;
  }

  byPart(root, "password-row-hint").hidden = canSeal();
  field.addEventListener("input", () => onCodeTyped(field.value));
  onSubmit(form, button, load);
  return {
    /**
     * Fill in a code, however it is written. Nothing is loaded before a user asks for it: a link may be opened
     * by a scanner or by another page, and a one-time text ends with its first reading.
     * @param {string} given
     */
    openCode(given) {
      const code = readCode(given);
      this.fill(code ?? given);
      alert.clear();
      if (!code) return showNoCode(given);
      sealedLinkCode = codeOfSealedLink(given);
      passwordRow.hidden = sealedLinkCode === null;
      (sealedLinkCode === null ? button : password).focus();
      return undefined;
    },

    isOnlyCopy: loaded.isOnlyCopy,

    /** @param {string} given */
    fill(given) {
      field.value = given;
    },

    focus: () => field.focus(),
    show: loaded.show,
  };
}
