/** A text that was loaded: shown as text and nothing else, copied, kept, cleared. */

import { charactersOf } from "../core/limits.js";
import { makeCountdown } from "./countdown.js";
import { turn } from "./direction.js";
import { part } from "./dom.js";
import { makeSure } from "./sure.js";

/** @typedef {{code: string, text: string, secondsLeft: number, once: boolean}} Shown */
/**
 * What else can be done with a text where it is shown; each says by a message what came of it.
 * @typedef {{keepNote?: (shown: Shown) => Promise<string>, insert?: (text: string) => Promise<string>}} Deeds
 */

/** What is said where a text is elsewhere too now. */
const KEPT = ["text_copied", "note_kept", "inserted"];

/**
 * @param {object} wiring
 * @param {HTMLElement} wiring.root
 * @param {import("./labels.js").Labels} wiring.labels
 * @param {(text: string) => Promise<boolean>} wiring.copy
 * @param {Deeds} wiring.deeds
 * @param {() => void} wiring.cleared
 */
export function makeLoaded({ root, labels, copy, deeds, cleared }) {
  /** @type {HTMLTextAreaElement} */
  const field = part(root, "loaded-text");
  const status = part(root, "loaded-status");
  const left = part(root, "loaded-left");
  const oneTime = part(root, "one-time");
  const countdown = makeCountdown(left, "left", labels);
  /** @type {Shown | null} kept beside the text area, which turns CRLF into LF */
  let shown = null;
  let isCopied = false;
  /** Whether a one-time text would be lost with what is shown. */
  const isOnlyHere = () => shown !== null && shown.once && !isCopied;

  function clear() {
    shown = null;
    field.value = "";
    countdown.stop();
    labels.clear(status);
    root.hidden = true;
    cleared();
  }

  /** @param {string} name @param {((shown: Shown) => Promise<string>) | undefined} deed what it says in the end */
  function offer(name, deed) {
    const button = part(root, name);
    button.hidden = !deed;
    button.addEventListener("click", async () => {
      if (!shown || !deed) return;
      labels.clear(status);
      const about = shown;
      const came = await deed(about);
      if (KEPT.includes(came) && shown === about) isCopied = true;
      labels.put(status, came);
    });
  }

  offer("copy-text", async ({ text }) => ((await copy(text)) ? "text_copied" : "copy_failed"));
  offer("keep-note", deeds.keepNote);
  offer("insert", deeds.insert && (({ text }) => /** @type {any} */ (deeds.insert)(text)));
  field.addEventListener("copy", () => {
    if (field.selectionStart === 0 && field.selectionEnd === field.value.length) isCopied = true;
  });
  makeSure(part(root, "clear"), labels, { asks: async () => isOnlyHere(), deed: async () => clear() });
  return {
    isOnlyHere,

    /** @param {Shown} found */
    show(found) {
      shown = found;
      isCopied = false;
      field.value = found.text;
      turn(field);
      labels.clear(status);
      labels.put(part(root, "loaded-heading"), "text_under", () => ({ code: found.code }));
      labels.put(part(root, "loaded-size"), "size", (words) => ({
        characters: words.count("characters", charactersOf(found.text)),
      }));
      oneTime.hidden = !found.once;
      if (found.once) countdown.stop();
      else countdown.start(found.secondsLeft, () => labels.put(left, "left_none"));
      root.hidden = false;
      field.focus();
      field.setSelectionRange(0, 0);
      field.scrollTop = 0;
    },
  };
}
