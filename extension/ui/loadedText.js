/** A text that was loaded: shown as text and nothing else, copied, kept, closed. */

import { charactersOf } from "../core/limits.js";
import { singleAddress } from "../core/links.js";
import { makeConfirmButton } from "./confirmButton.js";
import { makeCountdown } from "./countdown.js";
import { setDirection } from "./direction.js";
import { byPart } from "./dom.js";

/** @typedef {{code: string, text: string, secondsLeft: number, once: boolean}} Shown */
/**
 * What else can be done with a text where it is shown; each says by a message what came of it.
 * `close`: called when nothing is left to do here.
 * @typedef {object} Actions
 * @property {(shown: Shown) => Promise<string>} [keepNote]
 * @property {(text: string) => Promise<string>} [insert]
 * @property {(text: string) => string} [saveFile]
 * @property {() => void} [close]
 */

/** What is said where a text is elsewhere too now. */
const COPIED_MESSAGES = ["text_copied", "note_saved", "inserted"];
/** What is said where nothing is left to do. */
const FINAL_MESSAGES = ["text_copied", "inserted"];
const FAILED_MESSAGES = ["copy_failed", "note_failed", "insert_failed"];

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
  const openLink = byPart(root, "open-link");
  const countdown = makeCountdown(i18n, left);
  /** @type {Shown | null} kept beside the text area, which turns CRLF into LF */
  let shown = null;
  let isCopied = false;
  let shownAt = 0;
  /** Whether a one-time text would be lost with what is shown. */
  const isOnlyCopy = () => shown !== null && shown.once && !isCopied;

  function clear() {
    shown = null;
    field.value = "";
    openLink.removeAttribute("href");
    countdown.stop();
    i18n.clearText(status);
    root.hidden = true;
    onCleared();
  }

  /** @param {string} message */
  function showResult(message) {
    if (COPIED_MESSAGES.includes(message)) isCopied = true;
    i18n.clearText(status);
    status.classList.toggle("failed", FAILED_MESSAGES.includes(message));
    i18n.setText(status, message);
    if (FINAL_MESSAGES.includes(message)) actions.close?.();
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
      if (shown === current) showResult(message);
    });
  }

  /** @param {string} name @param {string} className @param {boolean} isOn */
  function setUpSwitch(name, className, isOn) {
    const button = byPart(root, name);
    let isPressed = isOn;
    const show = () => {
      button.setAttribute("aria-pressed", String(isPressed));
      field.classList.toggle(className, isPressed);
    };
    button.addEventListener("click", () => {
      isPressed = !isPressed;
      show();
    });
    show();
  }

  /** @param {string} text */
  function showOpenLink(text) {
    const address = singleAddress(text);
    openLink.hidden = address === null;
    if (address === null) openLink.removeAttribute("href");
    else Object.assign(openLink, { href: address, target: "_blank", rel: "noopener noreferrer" });
  }

  setUpButton("copy-text", async ({ text }) => ((await copy(text)) ? "text_copied" : "copy_failed"));
  setUpButton("keep-note", actions.keepNote);
  setUpButton("insert", actions.insert && (({ text }) => /** @type {any} */ (actions.insert)(text)));
  setUpButton("save-file", actions.saveFile && (async ({ text }) => /** @type {any} */ (actions.saveFile)(text)));
  setUpSwitch("monospace", "monospace", false);
  setUpSwitch("wrap", "wrap", true);
  field.addEventListener("copy", () => {
    if (field.selectionStart === 0 && field.selectionEnd === field.value.length) isCopied = true;
  });
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    byPart(root, "copy-text").click();
  });
  makeConfirmButton(byPart(root, "clear"), i18n, { needsConfirmation: async () => isOnlyCopy(), action: async () => clear() });
  return {
    isOnlyCopy,
    focus: () => field.focus(),
    /** The text that is shown, and what to do when it was copied; null where none is. */
    copied: () => shown && { text: shown.text, shownAt, done: () => showResult("text_copied") },

    /** @param {Shown} found */
    show(found) {
      shown = found;
      shownAt = performance.now();
      isCopied = false;
      field.value = found.text;
      setDirection(field);
      i18n.clearText(status);
      i18n.setText(byPart(root, "loaded-heading"), "text_under", () => ({ code: found.code }));
      i18n.setText(byPart(root, "loaded-size"), "size", (translator) => ({
        characters: translator.count("characters", charactersOf(found.text)),
      }));
      showOpenLink(found.text);
      oneTime.hidden = !found.once;
      if (found.once) countdown.stop();
      else countdown.start(found.secondsLeft, () => i18n.setText(left, "left_none"));
      root.hidden = false;
      field.focus({ preventScroll: true });
      field.setSelectionRange(0, 0);
      field.scrollTop = 0;
      root.scrollIntoView({ block: "nearest" });
    },
  };
}
