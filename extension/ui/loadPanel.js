/** The Load panel: a code in, a text out. */

import { readCode, whyNoCode } from "../core/codes.js";
import { NoText, Unreachable } from "../core/errors.js";
import { readLiveCode, startsWithNumber } from "../core/liveCodes.js";
import { codeOfSealedLink, isOnceLink, phraseOfLink } from "../core/codeSearch.js";
import { canSeal } from "../core/seal.js";
import { makeAlert } from "./alert.js";
import { makePasswordToggle, onSubmit, byPart } from "./dom.js";
import { makeCodeField } from "./codeField.js";
import { makeLoadedText } from "./loadedText.js";

/** @typedef {import("./loadedText.js").Shown} Shown */

// Whoever presses Open by habit after a code has opened by itself, in ms.
const JUST_OPENED = 1_500;

// Without the gap it may be a code with a 0 for an O.
const NUMBER_AND_MORE = /^\s*[1-9]\d*(?:[^\d\p{L}]|$)/u;

/**
 * @param {object} options
 * @param {HTMLElement} options.root
 * @param {ReturnType<typeof import("../core/reading.js").makeReader>} options.reader
 * @param {import("./i18n.js").I18n} options.i18n
 * @param {(text: string) => Promise<boolean>} options.copy
 * @param {import("./loadedText.js").Actions} [options.actions]
 * @param {(shown: Shown | null) => Promise<void>} [options.onShown] told what is shown now, before it counts as seen
 * @param {(code: string) => void} [options.onCodeTyped]
 * @param {(liveCode: import("../core/liveCodes.js").LiveCode) => void} [options.onLiveCode] takes a live code that was typed
 * @param {(text: string) => void} [options.onText] takes what was typed with no field in focus and is no code
 */
export function makeLoadPanel(options) {
  const { root, reader, i18n, copy, actions = {} } = options;
  const { onShown = async () => {}, onCodeTyped = () => {}, onLiveCode = () => {}, onText = () => {} } = options;
  /** @type {HTMLFormElement} */
  const form = byPart(root, "load-form");
  /** @type {HTMLInputElement} */
  const field = byPart(root, "code-field");
  /** @type {HTMLInputElement} */
  const password = byPart(root, "load-password");
  const passwordRow = byPart(root, "password-row");
  const hasPasswordButton = byPart(root, "has-password");
  const button = byPart(root, "load");
  const hint = byPart(root, "code-hint");
  const notice = byPart(root, "load-notice");
  /** @type {Record<string, HTMLElement>} what a refusal may name */
  const fields = { code: field, password };
  const alert = makeAlert(byPart(root, "load-alert"), i18n);
  const toggle = makePasswordToggle(password, byPart(root, "show-load-password"), i18n);
  const codeField = makeCodeField(field, { onComplete, onChange, onText });
  const loaded = makeLoadedText({ root: byPart(root, "loaded"), i18n, copy, actions, onCleared });

  /** The code of a link that promised a sealed text. @type {string | null} */
  let sealedLinkCode = null;
  let isConfirming = false;
  let openedAt = -Infinity;

  function onComplete() {
    // Whoever is about to give a password opens it with that.
    if (document.activeElement !== password) form.requestSubmit();
  }

  function onChange() {
    onCodeTyped(field.value);
    isConfirming = false;
    clearMessages();
    button.className = field.value ? "main" : "plain";
    if (!button.disabled) i18n.setText(button, "load");
    // A password is that of one code.
    password.value = "";
    showTypedCode(readLetters());
  }

  /** What is typed; letters after a number belong to no stored text, and the service must not see them. */
  const readLetters = () => (startsWithNumber(field.value) ? (codeField.readLive()?.letters ?? null) : codeField.read());

  /** @param {string | null} code */
  function showTypedCode(code) {
    if (code) i18n.setText(hint, "typed_code", (translator) => ({ letters: translator.spelling(code) }));
    else i18n.setText(hint, "code_hint");
  }

  async function load() {
    if (field.value === "" && performance.now() - openedAt < JUST_OPENED) return loaded.focus();
    alert.clear();
    if (startsWithNumber(field.value)) return loadLive();
    const code = codeField.read();
    if (!code) return showWhyNoCode(field.value);
    showTypedCode(code);
    if (!mayReplace()) return;
    sealedLinkCode = codeOfSealedLink(field.value) ?? (sealedLinkCode === code ? code : null);
    password.value ||= phraseOfLink(field.value) ?? "";
    await open(code);
  }

  /** Whether what is shown may go; after a question, where it is nowhere else. */
  function mayReplace() {
    if (!loaded.isOnlyCopy() || isConfirming) return true;
    isConfirming = true;
    alert.show("not_copied");
    return false;
  }

  async function loadLive() {
    const liveCode = codeField.readLive();
    if (!liveCode) return showWhyNoCode(field.value);
    if (mayReplace()) onLiveCode(liveCode);
  }

  /** @param {string} code */
  async function open(code) {
    const asked = field.value;
    const isChanged = () => field.value !== asked;
    try {
      // Deriving takes a moment; a button that says nothing would seem stuck.
      i18n.setText(button, password.value ? "opening" : "loading");
      const { acknowledge, ...found } = await reader.load(code, password.value, sealedLinkCode !== null);
      const shown = { ...found, code };
      // Another code that was given meanwhile stays.
      if (!isChanged()) reset();
      openedAt = performance.now();
      loaded.show(shown);
      await onShown(shown);
      await acknowledge();
    } catch (error) {
      if (!isChanged()) showError(error);
    } finally {
      i18n.setText(button, "load");
    }
  }

  /** @param {string} given */
  function showWhyNoCode(given) {
    const isLive = NUMBER_AND_MORE.test(given);
    const [key, values] = isLive ? /** @type {import("../core/codes.js").Reason} */ (["live_rule"]) : whyNoCode(given);
    alert.show(key, values, field);
  }

  /** @param {any} error */
  function showError(error) {
    if (error instanceof NoText) return showNoText();
    if (error instanceof Unreachable) return alert.show("load_unreachable");
    return alert.showError(error, fields[error.field]);
  }

  /** A wrong code is likelier than a wrong password, so the code is what is to be mended. */
  function showNoText() {
    i18n.clearText(notice);
    const isLocked = !passwordRow.hidden || sealedLinkCode !== null;
    // Hidden, the field would take no focus.
    if (isLocked) setPasswordShown(true);
    else hasPasswordButton.hidden = false;
    alert.show(isLocked ? "no_text_password" : "no_text", undefined, isLocked ? password : field);
    (isLocked ? password : field).select();
  }

  /** @param {boolean} isShown */
  function setPasswordShown(isShown) {
    passwordRow.hidden = !isShown;
    hasPasswordButton.hidden = isShown;
  }

  function onCleared() {
    onShown(null);
    field.focus();
  }

  function reset() {
    isConfirming = false;
    sealedLinkCode = null;
    form.reset();
    onChange();
    clearMessages();
    toggle.hide();
    passwordRow.hidden = hasPasswordButton.hidden = true;
  }

  function clearMessages() {
    alert.clear();
    i18n.clearText(notice);
  }

  byPart(root, "password-row-hint").hidden = canSeal();
  hasPasswordButton.addEventListener("click", () => {
    setPasswordShown(true);
    password.focus();
  });
  onSubmit(form, button, load);

  /** @param {string} given */
  function fill(given) {
    codeField.keepFromOpening();
    field.value = given;
    onChange();
  }

  /** Say what a link has promised. @param {string} given */
  function showPromises(given) {
    sealedLinkCode = codeOfSealedLink(given);
    password.value = phraseOfLink(given) ?? "";
    if (sealedLinkCode !== null) setPasswordShown(true);
    if (isOnceLink(given)) i18n.setText(notice, "once_link");
    else if (sealedLinkCode !== null && !password.value) i18n.setText(notice, "locked_link");
    i18n.setText(button, isOnceLink(given) ? "once_link_show" : "load");
    (sealedLinkCode !== null && !password.value ? password : button).focus();
  }

  return {
    /**
     * Fill in a code, however it is written. Nothing is loaded before a user asks for it: a link may be opened
     * by a scanner or by another page, and a one-time text ends with its first reading.
     * @param {string} given
     */
    openCode(given) {
      const liveCode = readLiveCode(given);
      const code = startsWithNumber(given) ? null : readCode(given);
      fill(code ?? given);
      clearMessages();
      if (liveCode) button.focus();
      else if (code) showPromises(given);
      else showWhyNoCode(given);
    },

    /** Open what a user has pasted. @param {string} given that `readCode` understands */
    openPasted(given) {
      this.openCode(given);
      // What can be read once, or needs a password first, waits for a press as a link does.
      if (!isOnceLink(given) && (sealedLinkCode === null || password.value)) form.requestSubmit();
    },

    /** The text that is shown, and what to do when it was copied; null where none is. */
    copied: loaded.copied,
    clearMessages,
    isOnlyCopy: loaded.isOnlyCopy,
    fill,
    focus: () => field.focus(),
    /** Say why it does not go on, with the code there to be mended. @param {string} key @param {import("./i18n.js").Values} [values] */
    say(key, values) {
      alert.show(key, values, field);
      field.select();
    },
    clearCode: reset,
    /** Show a text that came in a live transfer. @param {Shown} shown */
    async showReceived(shown) {
      reset();
      loaded.show(shown);
      await onShown(shown);
    },
    /** Take the key that is being pressed, with no field in focus. */
    focusForTyping: codeField.focusForTyping,
    show: loaded.show,
  };
}
