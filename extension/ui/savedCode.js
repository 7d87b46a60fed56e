/** What is shown after saving: the code, how to say it, and what can be done with it. */

import { NoText } from "../core/errors.js";
import { spell } from "../core/codes.js";
import { fetchSecondsLeft } from "../core/saving.js";
import { makeAlert } from "./alert.js";
import { makeCountdown } from "./countdown.js";
import { keepFocus, byPart } from "./dom.js";
import { makeReceipt } from "./receipt.js";

/**
 * How a text ended, as the headline says it.
 * @type {Partial<Record<import("../core/api.js").State, string>>}
 */
const ENDED = { read: "read", expired: "expired", deleted: "deleted" };

// When the service is asked again how long a text lives that has ended by the clock, and it could not be asked; in seconds.
const RETRY_AFTER = 60;

/**
 * A code to show; `ownerToken`: "" for one that comes from the history.
 * @typedef {import("../core/api.js").Written & {isSealed: boolean}} ShownCode
 */

/**
 * @param {object} options
 * @param {HTMLElement} options.root
 * @param {ReturnType<typeof import("../core/api.js").makeApi>} options.api
 * @param {import("./i18n.js").I18n} options.i18n
 * @param {(code: string, isSealed: boolean) => string} options.linkOf
 * @param {(text: string) => Promise<boolean>} options.copy
 * @param {(isOwned: boolean) => void} options.onAgain to save another text; `isOwned`: whether its owner token was here
 * @param {(code: string) => void} options.onEnd told when the code opens nothing any more
 */
export function makeSavedCode({ root, api, i18n, linkOf, copy, onAgain, onEnd }) {
  const heading = byPart(root, "saved-heading");
  const shown = byPart(root, "code");
  const spelled = byPart(root, "spelled");
  const natoWords = byPart(root, "nato-words");
  const liveRegion = byPart(root, "saved-news");
  const status = byPart(root, "saved-status");
  const details = byPart(root, "saved-details");
  /** @type {HTMLButtonElement} */
  const remove = byPart(root, "delete");
  const qr = byPart(root, "qr");
  const qrButton = byPart(root, "show-qr");
  const alert = makeAlert(byPart(root, "saved-alert"), i18n);
  const countdown = makeCountdown(byPart(root, "saved-left"), "left", i18n);
  /** @type {ShownCode | null} */
  let current = null;
  let phrase = "";
  const receipt = makeReceipt({
    button: byPart(root, "receipt-ask"),
    line: byPart(root, "receipt"),
    api,
    i18n,
    getWritten: () => current,
    onState: (state) => {
      const key = ENDED[state];
      if (key) showEnded(key);
    },
    onError: (error) => alert.showError(error),
  });

  /**
   * @param {ShownCode} written
   * @param {string} newPhrase phrase that was made for it, to be told with the code
   */
  function show(written, newPhrase) {
    current = written;
    phrase = newPhrase;
    remove.hidden = byPart(root, "receipt-ask").hidden = written.ownerToken === "";
    const { code } = written;
    const asSpelled = spelledBy(code);
    alert.clear();
    shown.textContent = code;
    i18n.setText(heading, "your_code");
    i18n.setText(spelled, "spelled", asSpelled);
    natoWords.textContent = spell(code).map(({ word }) => word).join(" ");
    i18n.clearText(status);
    receipt.clear();
    hideQr();
    byPart(root, "saved-phrase").hidden = phrase === "";
    byPart(root, "phrase-used").textContent = phrase;
    details.hidden = false;
    root.hidden = false;
    countdown.start(written.secondsLeft, expire);
    heading.focus();
    // A screen reader hears of what changes while it can be seen, not of what was there before.
    requestAnimationFrame(() => i18n.setText(liveRegion, "saved", asSpelled));
  }

  /** Its receipt can still be asked for. @param {string} key of the message that says how the text ended */
  function showEnded(key) {
    countdown.stop();
    details.hidden = true;
    clearPhrase();
    i18n.setText(heading, key);
    if (current) onEnd(current.code);
  }

  function clearPhrase() {
    phrase = "";
    byPart(root, "phrase-used").textContent = "";
  }

  /** @param {string} key */
  function showEndedAndFocus(key) {
    showEnded(key);
    heading.focus();
  }

  /** @param {boolean} isCertain whether that much time has gone by, and not only a clock been set */
  async function expire(isCertain) {
    const about = current;
    if (!about) return;
    const left = isCertain || !about.ownerToken ? 0 : await fetchSecondsLeft(api, about).catch(() => RETRY_AFTER);
    if (current !== about) return;
    if (left > 0) countdown.start(left, expire);
    else showExpired();
  }

  function showExpired() {
    const isHere = details.contains(document.activeElement);
    if (isHere) return showEndedAndFocus("expired");
    // Said without taking the focus from somebody who is elsewhere by now.
    showEnded("expired");
    return i18n.setText(liveRegion, "expired");
  }

  async function deleteText() {
    const about = current;
    if (!about) return;
    alert.clear();
    remove.disabled = true;
    try {
      await api.remove(about.code, about.ownerToken);
      // Another text may have been saved meanwhile.
      if (current === about) showEndedAndFocus("deleted");
    } catch (error) {
      if (current !== about) return;
      if (error instanceof NoText) showEndedAndFocus("expired");
      else alert.showError(error);
    } finally {
      remove.disabled = false;
      keepFocus(remove);
    }
  }

  /** @param {string} text @param {string} done */
  async function copyWithStatus(text, done) {
    i18n.clearText(status);
    i18n.setText(status, (await copy(text)) ? done : "copy_failed");
  }

  function hideQr() {
    qr.hidden = true;
    qr.replaceChildren();
    qrButton.setAttribute("aria-expanded", "false");
  }

  async function toggleQr() {
    const about = current;
    if (!qr.hidden || !about) return hideQr();
    i18n.clearText(status);
    try {
      // Only when it is wanted: its loss must not stop the saving.
      const { drawQr } = await import("./qr.js");
      if (current !== about) return undefined;
      qr.replaceChildren(drawQr(linkOf(about.code, about.isSealed)));
      qr.hidden = false;
      return qrButton.setAttribute("aria-expanded", "true");
    } catch {
      return i18n.setText(status, "qr_failed");
    }
  }

  shown.addEventListener("click", () => current && copyWithStatus(current.code, "code_copied"));
  qrButton.addEventListener("click", toggleQr);
  byPart(root, "copy-phrase").addEventListener("click", () => phrase && copyWithStatus(phrase, "phrase_copied"));
  byPart(root, "copy-both").addEventListener("click", () => current && copyWithStatus(`${current.code}\n${phrase}`, "both_copied"));
  byPart(root, "copy-code").addEventListener("click", () => current && copyWithStatus(current.code, "code_copied"));
  byPart(root, "copy-link").addEventListener("click", () => current && copyWithStatus(linkOf(current.code, current.isSealed), "link_copied"));
  remove.addEventListener("click", deleteText);
  function hide() {
    current = null;
    countdown.stop();
    receipt.clear();
    clearPhrase();
    root.hidden = true;
  }

  byPart(root, "again").addEventListener("click", () => {
    const isOwned = current?.ownerToken !== "";
    hide();
    onAgain(isOwned);
  });
  return { show, hide, focus: () => heading.focus() };
}

/** @param {string} code @returns {import("./i18n.js").Values} */
const spelledBy = (code) => (translator) => ({
  letters: spell(code)
    .map(({ letter, big }) => translator.t(big ? "big_letter" : "small_letter", { letter }))
    .join(", "),
});
