/** The Save panel: a text in, a code out. */

import { TooLarge } from "../core/errors.js";
import { DEFAULT_LIMITS, bytesOf, charactersOf } from "../core/limits.js";
import { canSeal } from "../core/seal.js";
import { makeAlert } from "./alert.js";
import { setDirection } from "./direction.js";
import { onSubmit, byPart } from "./dom.js";
import { makeLifetimes } from "./lifetimes.js";
import { makePasswordField } from "./password.js";
import { makeSavedCode } from "./savedCode.js";

/** @typedef {import("../core/limits.js").Limits} Limits */
/** @typedef {import("../core/api.js").Written} Written */
/** @typedef {import("../core/session.js").FormDraft} FormDraft */
/** @typedef {ReturnType<typeof import("../core/saving.js").makeSaver>} Saver */
/** @typedef {Written & {isSealed: boolean, once: boolean, phrase: string}} Shown */

const KIB = 1024;

/**
 * @param {object} options
 * @param {HTMLElement} options.root
 * @param {Saver} options.saver
 * @param {ReturnType<typeof import("../core/api.js").makeApi>} options.api
 * @param {import("./i18n.js").I18n} options.i18n
 * @param {(code: string, isSealed: boolean) => string} options.linkOf
 * @param {(text: string) => Promise<boolean>} options.copy
 * @param {() => Promise<string[]>} options.wordList
 * @param {number} [options.lifetime] the usual one, in seconds
 * @param {(draft: FormDraft) => void} [options.onDraftChange] told with every change
 * @param {(shown: Shown | null) => Promise<void>} [options.onShown] told whose code is shown now, to keep it
 * @param {(code: string) => void} [options.onEnd] told when a code opens nothing any more
 */
export function makeSavePanel(options) {
  const { root, saver, api, i18n, linkOf, copy, wordList, lifetime } = options;
  const { onDraftChange = () => {}, onShown = async () => {}, onEnd = () => {} } = options;
  /** @type {HTMLFormElement} */
  const form = byPart(root, "save-form");
  /** @type {HTMLTextAreaElement} */
  const field = byPart(root, "text");
  /** @type {HTMLInputElement} */
  const once = byPart(root, "once");
  const counter = byPart(root, "counter");
  const button = byPart(root, "save");
  const saveOpenButton = byPart(root, "save-open");
  const alert = makeAlert(byPart(root, "save-alert"), i18n);
  const lifetimes = makeLifetimes(byPart(root, "lifetimes"), byPart(root, "long-hint"), i18n, lifetime);
  const password = makePasswordField({ root, i18n, wordList, onChange: onPasswordChange });
  /** @type {Record<string, HTMLElement>} what a refusal may name */
  const fields = { text: field, password: password.field };
  const savedCode = makeSavedCode({ root: byPart(root, "saved"), api, i18n, linkOf, copy, onAgain, onEnd });
  let limits = DEFAULT_LIMITS;
  // A draft that came back without the password it was to be locked with.
  let needsPassword = false;

  /** @param {number} bytes */
  const kilobytes = (bytes) => i18n.translator.number(Math.ceil(bytes / KIB));
  const maxSize = () => ({ most: kilobytes(limits.max_text_bytes) });
  const isTooLarge = () => bytesOf(field.value) > limits.max_text_bytes;

  const allowLong = () => lifetimes.setHasPassword(password.field.value !== "" || needsPassword);

  /** @param {boolean} isLocked */
  function setNeedsPassword(isLocked) {
    needsPassword = isLocked;
    saveOpenButton.hidden = true;
    allowLong();
  }

  /** A password was typed, made or removed. */
  function onPasswordChange() {
    setNeedsPassword(false);
    onDraftChange(currentDraft());
  }

  function updateText() {
    setDirection(field);
    updateCounter();
  }

  function updateCounter() {
    const bytes = bytesOf(field.value);
    const characters = charactersOf(field.value);
    counter.classList.toggle("over", bytes > limits.max_text_bytes);
    i18n.setText(counter, "counter", (translator) => ({
      characters: translator.count("characters", characters),
      size: kilobytes(bytes),
      ...maxSize(),
    }));
  }

  /** @param {Limits} newLimits */
  function applyLimits(newLimits) {
    limits = newLimits;
    lifetimes.applyLimits(newLimits);
    allowLong();
    updateText();
  }

  async function save() {
    alert.clear();
    if (!field.value) return alert.show("empty_text", undefined, field);
    if (isTooLarge()) return alert.show("too_large", maxSize, field);
    if (needsPassword) return askForPassword();
    i18n.setText(button, password.field.value && canSeal() ? "sealing" : "saving");
    onDraftChange({ ...currentDraft(), sent: true });
    await send(saver, () => saver.save(saveRequest()), true);
  }

  /** To save it open takes a button of its own: a second Enter must not. */
  function askForPassword() {
    saveOpenButton.hidden = false;
    alert.show("password_again", undefined, password.field);
  }

  /**
   * @param {Saver} writer
   * @param {() => Promise<(Written & {isSealed: boolean, once: boolean}) | null>} deed
   * @param {boolean} isForm whether it is what the form holds
   */
  async function send(writer, deed, isForm) {
    // What is typed while the text is on its way would be cleared with it.
    setReadOnly(true);
    try {
      const written = await deed();
      if (written) await show(written, isForm);
      await writer.markStored();
    } catch (error) {
      showError(error);
    } finally {
      setReadOnly(false);
      i18n.setText(button, "save");
    }
  }

  /** @param {boolean} isReadOnly */
  function setReadOnly(isReadOnly) {
    field.readOnly = isReadOnly;
    password.setReadOnly(isReadOnly);
  }

  const saveRequest = () => ({
    text: field.value,
    password: password.field.value,
    expiresIn: lifetimes.seconds,
    once: once.checked,
  });

  const currentDraft = () => ({
    text: field.value,
    expiresIn: lifetimes.chosen,
    once: once.checked,
    locked: needsPassword || password.field.value !== "",
    sent: false,
  });

  /** @param {Written & {isSealed: boolean, once: boolean}} written @param {boolean} isForm */
  async function show(written, isForm) {
    const { phrase } = isForm ? password : { phrase: "" };
    showCode(written, phrase);
    if (isForm) clear();
    await onShown({ ...written, phrase });
  }

  function clear() {
    form.reset();
    password.clear();
    setNeedsPassword(false);
    updateText();
    onDraftChange(currentDraft());
  }

  /** @param {import("./savedCode.js").ShownCode} written @param {string} [phrase] */
  function showCode(written, phrase = "") {
    form.hidden = true;
    savedCode.show(written, phrase);
  }

  /** @param {any} error */
  function showError(error) {
    if (error instanceof TooLarge) return alert.show("too_large", maxSize, field);
    return alert.showError(error, fields[error.field]);
  }

  /** @param {boolean} isOwned */
  function onAgain(isOwned) {
    form.hidden = false;
    if (isOwned) onShown(null);
    field.focus();
  }

  /** @param {FormDraft} saved */
  function restore(saved) {
    field.value = saved.text;
    once.checked = saved.once;
    setNeedsPassword(saved.locked && saved.text !== "");
    lifetimes.choose(saved.expiresIn);
    updateText();
  }

  // The user is told the truth about who seals, next to the field, before a password is typed.
  if (!canSeal()) i18n.setText(byPart(root, "password-hint"), "password_hint_unsafe");
  field.addEventListener("input", updateText);
  form.addEventListener("input", () => onDraftChange(currentDraft()));
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  saveOpenButton.addEventListener("click", () => {
    onPasswordChange();
    form.requestSubmit();
  });
  const submit = onSubmit(form, button, save);
  applyLimits(DEFAULT_LIMITS);
  return {
    applyLimits,
    restore,
    showCode,
    /** Say something in the form instead of a code from before. @param {string} key */
    say(key) {
      savedCode.hide();
      form.hidden = false;
      alert.show(key, undefined, field);
    },
    focus: () => (form.hidden ? savedCode.focus() : field.focus()),
    isEmpty: () => field.value === "" && password.field.value === "",
    /**
     * Go on with a write that nobody saw the end of.
     * @param {Saver} writer
     * @param {boolean} isForm whether it is what the form holds
     */
    resumeUpload(writer, isForm) {
      return submit(() => {
        // A code from before would be taken for this text's.
        savedCode.hide();
        form.hidden = false;
        i18n.setText(button, "saving");
        return send(writer, writer.resume, isForm);
      });
    },
  };
}
