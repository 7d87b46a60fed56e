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
const KEPT = ["text_copied", "note_kept", "inserted"];

/**
 * @param {object} options
 * @param {HTMLElement} options.root
 * @param {import("./translator.js").Translator} options.translator
 * @param {(text: string) => Promise<boolean>} options.copy
 * @param {Actions} options.actions
 * @param {() => void} options.cleared
 */
export function makeLoaded({ root, translator, copy, actions, cleared }) {
  /** @type {HTMLTextAreaElement} */
  const field = byPart(root, "loaded-text");
  const status = byPart(root, "loaded-status");
  const left = byPart(root, "loaded-left");
  const oneTime = byPart(root, "one-time");
  const countdown = makeCountdown(left, "left", translator);
  /** @type {Shown | null} kept beside the text area, which turns CRLF into LF */
  let shown = null;
  let isCopied = false;
  /** Whether a one-time text would be lost with what is shown. */
  const isOnlyHere = () => shown !== null && shown.once && !isCopied;

  function clear() {
    shown = null;
    field.value = "";
    countdown.stop();
    translator.clearText(status);
    root.hidden = true;
    cleared();
  }

  /** @param {string} name @param {((shown: Shown) => Promise<string>) | undefined} action what it says in the end */
  function offer(name, action) {
    const button = byPart(root, name);
    button.hidden = !action;
    button.addEventListener("click", async () => {
      if (!shown || !action) return;
      translator.clearText(status);
      const about = shown;
      const came = await action(about);
      if (KEPT.includes(came) && shown === about) isCopied = true;
      translator.setText(status, came);
    });
  }

  offer("copy-text", async ({ text }) => ((await copy(text)) ? "text_copied" : "copy_failed"));
  offer("keep-note", actions.keepNote);
  offer("insert", actions.insert && (({ text }) => /** @type {any} */ (actions.insert)(text)));
  field.addEventListener("copy", () => {
    if (field.selectionStart === 0 && field.selectionEnd === field.value.length) isCopied = true;
  });
  makeConfirmButton(byPart(root, "clear"), translator, { needsConfirmation: async () => isOnlyHere(), action: async () => clear() });
  return {
    isOnlyHere,

    /** @param {Shown} found */
    show(found) {
      shown = found;
      isCopied = false;
      field.value = found.text;
      setDirection(field);
      translator.clearText(status);
      translator.setText(byPart(root, "loaded-heading"), "text_under", () => ({ code: found.code }));
      translator.setText(byPart(root, "loaded-size"), "size", (i18n) => ({
        characters: i18n.count("characters", charactersOf(found.text)),
      }));
      oneTime.hidden = !found.once;
      if (found.once) countdown.stop();
      else countdown.start(found.secondsLeft, () => translator.setText(left, "left_none"));
      root.hidden = false;
      field.focus();
      field.setSelectionRange(0, 0);
      field.scrollTop = 0;
    },
  };
}
