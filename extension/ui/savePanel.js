/** The Save panel: a text in, a code out. */

import { TooLarge } from "../core/errors.js";
import { DEFAULT_LIMITS } from "../core/limits.js";
import { canSeal } from "../core/seal.js";
import { makeAlert } from "./alert.js";
import { onSubmit, byPart } from "./dom.js";
import { makeFileInput } from "./fileInput.js";
import { makeOptions } from "./options.js";
import { makePasteButton } from "./pasteButton.js";
import { makeSavedCode } from "./savedCode.js";
import { makeTextField } from "./textField.js";

/** @typedef {import("../core/limits.js").Limits} Limits */
/** @typedef {import("../core/saving.js").SaveResult} SaveResult */
/** @typedef {import("../core/session.js").FormDraft} FormDraft */
/** @typedef {import("./savedCode.js").ShownCode} ShownCode */
/** @typedef {ReturnType<typeof import("../core/saving.js").makeSaver>} Saver */

/**
 * @param {object} options
 * @param {HTMLElement} options.root
 * @param {Saver} options.saver
 * @param {ReturnType<typeof import("../core/api.js").makeApi>} options.api
 * @param {import("./i18n.js").I18n} options.i18n
 * @param {import("./savedCode.js").LinkOf} options.linkOf
 * @param {(text: string) => Promise<boolean>} options.copy
 * @param {() => Promise<string[]>} options.wordList
 * @param {() => Promise<string>} [options.paste] what is in the clipboard, where it can be read
 * @param {number} [options.lifetime] the usual one, in seconds
 * @param {(draft: FormDraft) => void} [options.onDraftChange] told with every change
 * @param {(shown: ShownCode | null) => Promise<void>} [options.onShown] told whose code is shown now, to keep it
 * @param {(code: string) => void} [options.onEnd] told when a code opens nothing any more
 * @param {(shown: ShownCode) => void} [options.onExtended] told when the text of the shown code lives longer, to keep that
 */
export function makeSavePanel(options) {
  const { root, saver, api, i18n, linkOf, copy, wordList, paste, lifetime } = options;
  const { onDraftChange = () => {}, onShown = async () => {}, onEnd = () => {}, onExtended = () => {} } = options;
  /** @type {HTMLFormElement} */
  const form = byPart(root, "save-form");
  const button = byPart(root, "save");
  const saveOpenButton = byPart(root, "save-open");
  const alert = makeAlert(byPart(root, "save-alert"), i18n);
  const notice = byPart(root, "save-notice");
  const text = makeTextField(root, i18n, () => form.requestSubmit());
  const { field } = text;
  const settings = makeOptions({ root, i18n, wordList, lifetime, onPasswordChange });
  const { once, lifetimes, password } = settings;
  /** @type {Record<string, HTMLElement>} what a refusal may name */
  const fields = { text: field, password: password.field };
  const savedCode = makeSavedCode({ root: byPart(root, "saved"), api, i18n, linkOf, copy, onAgain, onEdit, onEnd, onExtended });
  // A draft that came back without the password it was to be locked with.
  let needsPassword = false;

  /** @param {boolean} isLocked */
  function setNeedsPassword(isLocked) {
    needsPassword = isLocked;
    // The service's limits, which come later, must not take it away again.
    saveOpenButton.hidden ||= !isLocked;
    lifetimes.setHasPassword(password.field.value !== "" || needsPassword);
    settings.updateSummary();
  }

  /** A password was typed, made or removed. */
  function onPasswordChange() {
    setNeedsPassword(false);
    onDraftChange(currentDraft());
  }

  /** @param {Limits} limits */
  function applyLimits(limits) {
    settings.applyLimits(limits);
    setNeedsPassword(needsPassword);
    text.setMaxBytes(limits.max_text_bytes);
    savedCode.applyLimits(limits);
  }

  async function save() {
    if (checkedText() === null) return;
    i18n.clearText(notice);
    if (needsPassword) return askForPassword();
    i18n.setText(button, password.field.value && canSeal() ? "sealing" : "saving");
    onDraftChange({ ...currentDraft(), sent: true });
    await send(saver, () => saver.save(saveRequest()), true);
  }

  /** The text of the form; null after a message where there is none that can be sent. */
  function checkedText() {
    alert.clear();
    if (field.value && !text.isTooLarge) return text.value;
    if (field.value) alert.show("too_large", text.maxSize, field);
    else alert.show("empty_text", undefined, field);
    return null;
  }

  /** To save it open takes a button of its own: a second Enter must not. */
  function askForPassword() {
    saveOpenButton.hidden = false;
    settings.open();
    alert.show("password_again", undefined, password.field);
  }

  /**
   * @param {Saver} writer
   * @param {() => Promise<SaveResult | null>} action
   * @param {boolean} isForm whether it is what the form holds
   */
  async function send(writer, action, isForm) {
    // What is typed while the text is on its way would be cleared with it.
    setReadOnly(true);
    try {
      const written = await action();
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
    text: text.value,
    password: password.field.value,
    expiresIn: lifetimes.seconds,
    once: once.checked,
  });

  const currentDraft = () => ({
    text: text.value,
    expiresIn: lifetimes.chosen,
    once: once.checked,
    locked: needsPassword || password.field.value !== "",
    sent: false,
  });

  /** @param {SaveResult} written @param {boolean} isForm */
  async function show(written, isForm) {
    const typed = isForm ? { phrase: password.phrase, text: text.value } : { phrase: "", text: "" };
    const shown = { ...written, ...typed, savedAt: Date.now() };
    showCode(shown);
    if (isForm) clear();
    await onShown(shown);
  }

  function clear() {
    form.reset();
    password.clear();
    settings.close();
    setNeedsPassword(false);
    text.update();
    updatePasteButton();
    onDraftChange(currentDraft());
  }

  /** @param {ShownCode} shown @param {boolean} [isRestored] whether it was saved some time ago */
  function showCode(shown, isRestored = false) {
    form.hidden = true;
    savedCode.show(shown, isRestored, !isRestored || field.value === "");
  }

  function showForm() {
    savedCode.hide();
    form.hidden = false;
  }

  /** @param {any} error */
  function showError(error) {
    if (error instanceof TooLarge) return alert.show("too_large", text.maxSize, field);
    if (error.field === "password") settings.open();
    return alert.showError(error, fields[error.field]);
  }

  /** @param {boolean} isOwned */
  function onAgain(isOwned) {
    showForm();
    if (isOwned) onShown(null);
    root.scrollIntoView({ block: "start" });
    field.focus();
  }

  /** @param {ShownCode} shown */
  function onEdit({ code, text: before, isSealed, once: isOnce }) {
    showForm();
    restore({ text: before, expiresIn: lifetimes.chosen, once: isOnce, locked: isSealed });
    onDraftChange(currentDraft());
    i18n.setText(notice, "edit_hint", () => ({ code }));
    field.focus();
  }

  /** @param {Omit<FormDraft, "sent">} saved */
  function restore(saved) {
    text.set(saved.text);
    once.checked = saved.once;
    setNeedsPassword(saved.locked && saved.text !== "");
    lifetimes.choose(saved.expiresIn);
    settings.updateSummary();
    updatePasteButton();
  }

  form.addEventListener("input", () => onDraftChange(currentDraft()));
  saveOpenButton.addEventListener("click", () => {
    onPasswordChange();
    form.requestSubmit();
  });
  const submit = onSubmit(form, button, save);
  const updatePasteButton = makePasteButton({
    button: byPart(root, "paste"),
    text,
    paste,
    onPasted: () => form.requestSubmit(),
    onFailed: (key, values) => alert.show(key, values, field),
  });
  makeFileInput({ root, text, alert, isReady: () => !form.hidden });
  applyLimits(DEFAULT_LIMITS);
  return {
    applyLimits,
    restore,
    checkedText,
    /** The text has arrived; another one that was typed meanwhile stays. @param {string} sent */
    clearText(sent) {
      if (text.value === sent) clear();
    },
    /** Say why a password is the way to take, and show its field. @param {string} key */
    offerPassword(key) {
      settings.open();
      alert.show(key, undefined, password.field);
    },
    showCode,
    /** The code that is shown, and what to do when it was copied; null where none is. */
    copied: savedCode.copied,
    /** Say something in the form instead of a code from before. @param {string} key */
    say(key) {
      showForm();
      alert.show(key, undefined, field);
    },
    focus: () => (form.hidden ? savedCode.focus() : field.focus()),
    /** Put a text where the cursor of the form is. @param {string} given */
    insert(given) {
      // Program code may change what a user may not: it would be cleared with the text that is on its way.
      if (field.readOnly) return;
      if (form.hidden) onAgain(false);
      field.focus();
      text.insert(given);
    },
    isEmpty: () => field.value === "" && password.field.value === "",
    /**
     * Go on with a write that nobody saw the end of.
     * @param {Saver} writer
     * @param {boolean} isForm whether it is what the form holds
     */
    resumeUpload(writer, isForm) {
      return submit(() => {
        // A code from before would be taken for this text's.
        showForm();
        i18n.setText(button, "saving");
        return send(writer, writer.resume, isForm);
      });
    },
  };
}
