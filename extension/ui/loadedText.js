/** A text that was loaded: shown as text and nothing else, copied, kept, cleared. */

import { charactersOf } from "../core/limits.js";
import { makeCountdown } from "./countdown.js";
import { setDirection } from "./direction.js";
import { byPart } from "./dom.js";
import { makeConfirmButton } from "./confirmButton.js";

/** @typedef {{code: string, text: string, secondsLeft: number, once: boolean}} Shown */
/**
 * What else can be done with a text where it is shown; each says by a message what came of it.
 * @typedef {{keepNote?: (shown: Shown) => Promise<string>, insert?: (text: string) => Promise<string>}} Actions
 */

/** What is said where a text is elsewhere too now. */
const COPIED_MESSAGES = ["text_copied", "note_saved", "inserted"];

/**
 * @param {object} options
 * @param {HTMLElement} options.root
 * @param {import("./i18n.js").I18n} options.i18n
 * @param {(text: string) => Promise<boolean>} options.copy
 * @param {Actions} options.actions
 * @param {() => void} options.onCleared
 */
export function makeLoadedText({ root, i18n, copy, actions, onCleared }) {
  /** @type {HTMLTextAreaElement} */
  const field = byPart(root, "loaded-text");
  const status = byPart(root, "loaded-status");
  const left = byPart(root, "loaded-left");
  const oneTime = byPart(root, "one-time");
  const countdown = makeCountdown(left, "left", i18n);
  /** @type {Shown | null} kept beside the text area, which turns CRLF into LF */
  let shown = null;
  let isCopied = false;
  /** Whether a one-time text would be lost with what is shown. */
  const isOnlyCopy = () => shown !== null && shown.once && !isCopied;

  function clear() {
    shown = null;
    field.value = "";
    countdown.stop();
    i18n.clearText(status);
    root.hidden = true;
    onCleared();
  }

  /** @param {string} name @param {((shown: Shown) => Promise<string>) | undefined} action what it says in the end */
  function setUpButton(name, action) {
    const button = byPart(root, name);
    button.hidden = !action;
    button.addEventListener("click", async () => {
      if (!shown || !action) return;
      i18n.clearText(status);
      const current = shown;
      const message = await action(current);
      if (COPIED_MESSAGES.includes(message) && shown === current) isCopied = true;
      i18n.setText(status, message);
    });
  }

  setUpButton("copy-text", async ({ text }) => ((await copy(text)) ? "text_copied" : "copy_failed"));
  setUpButton("keep-note", actions.keepNote);
  setUpButton("insert", actions.insert && (({ text }) => /** @type {any} */ (actions.insert)(text)));
  field.addEventListener("copy", () => {
    if (field.selectionStart === 0 && field.selectionEnd === field.value.length) isCopied = true;
  });
  makeConfirmButton(byPart(root, "clear"), i18n, { needsConfirmation: async () => isOnlyCopy(), action: async () => clear() });
  return {
    isOnlyCopy,

    /** @param {Shown} found */
    show(found) {
      shown = found;
      isCopied = false;
      field.value = found.text;
      setDirection(field);
      i18n.clearText(status);
      i18n.setText(byPart(root, "loaded-heading"), "text_under", () => ({ code: found.code }));
      i18n.setText(byPart(root, "loaded-size"), "size", (translator) => ({
        characters: translator.count("characters", charactersOf(found.text)),
      }));
      oneTime.hidden = !found.once;
      if (found.once) countdown.stop();
      else countdown.start(found.secondsLeft, () => i18n.setText(left, "left_none"));
      root.hidden = false;
      field.focus();
      field.setSelectionRange(0, 0);
      field.scrollTop = 0;
    },
  };
}
