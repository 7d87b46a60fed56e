/** What is shown after saving: the code, how to say it, and what can be done with it. */

import { NoText } from "../core/errors.js";
import { spell } from "../core/codes.js";
import { leftOf } from "../core/saving.js";
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
const A_WHILE = 60;

/**
 * A code to show; `ownerToken`: "" for one that comes from the history.
 * @typedef {import("../core/api.js").Written & {isSealed: boolean}} Presented
 */

/**
 * @param {object} options
 * @param {HTMLElement} options.root
 * @param {ReturnType<typeof import("../core/api.js").makeApi>} options.api
 * @param {import("./translator.js").Translator} options.translator
 * @param {(code: string, isSealed: boolean) => string} options.linkOf
 * @param {(text: string) => Promise<boolean>} options.copy
 * @param {(isOwned: boolean) => void} options.again to save another text; `isOwned`: whether its owner token was here
 * @param {(code: string) => void} options.ended told when the code opens nothing any more
 */
export function makeSaved({ root, api, translator, linkOf, copy, again, ended }) {
  const heading = byPart(root, "saved-heading");
  const shown = byPart(root, "code");
  const spelled = byPart(root, "spelled");
  const said = byPart(root, "said");
  const news = byPart(root, "saved-news");
  const status = byPart(root, "saved-status");
  const living = byPart(root, "living");
  /** @type {HTMLButtonElement} */
  const remove = byPart(root, "delete");
  const qr = byPart(root, "qr");
  const qrButton = byPart(root, "show-qr");
  const alert = makeAlert(byPart(root, "saved-alert"), translator);
  const countdown = makeCountdown(byPart(root, "saved-left"), "left", translator);
  /** @type {Presented | null} */
  let owned = null;
  let phrase = "";
  const receipt = makeReceipt({
    button: byPart(root, "receipt-ask"),
    line: byPart(root, "receipt"),
    api,
    translator,
    owned: () => owned,
    told: (state) => {
      const key = ENDED[state];
      if (key) end(key);
    },
    failed: (error) => alert.tell(error),
  });

  /**
   * @param {Presented} written
   * @param {string} made phrase that was made for it, to be told with the code
   */
  function show(written, made) {
    owned = written;
    phrase = made;
    remove.hidden = byPart(root, "receipt-ask").hidden = written.ownerToken === "";
    const { code } = written;
    const asSpelled = spelledBy(code);
    alert.clear();
    shown.textContent = code;
    translator.setText(heading, "your_code");
    translator.setText(spelled, "spelled", asSpelled);
    said.textContent = spell(code).map(({ word }) => word).join(" ");
    translator.clearText(status);
    receipt.clear();
    hideQr();
    byPart(root, "saved-phrase").hidden = phrase === "";
    byPart(root, "phrase-used").textContent = phrase;
    living.hidden = false;
    root.hidden = false;
    countdown.start(written.secondsLeft, expire);
    heading.focus();
    // A screen reader hears of what changes while it can be seen, not of what was there before.
    requestAnimationFrame(() => translator.setText(news, "saved", asSpelled));
  }

  /** Its receipt can still be asked for. @param {string} key of the message that says how the text ended */
  function end(key) {
    countdown.stop();
    living.hidden = true;
    forgetPhrase();
    translator.setText(heading, key);
    if (owned) ended(owned.code);
  }

  function forgetPhrase() {
    phrase = "";
    byPart(root, "phrase-used").textContent = "";
  }

  /** @param {string} key */
  function endHere(key) {
    end(key);
    heading.focus();
  }

  /** @param {boolean} isSure whether that much time has gone by, and not only a clock been set */
  async function expire(isSure) {
    const about = owned;
    if (!about) return;
    const left = isSure || !about.ownerToken ? 0 : await leftOf(api, about).catch(() => A_WHILE);
    if (owned !== about) return;
    if (left > 0) countdown.start(left, expire);
    else tellExpired();
  }

  function tellExpired() {
    const isHere = living.contains(document.activeElement);
    if (isHere) return endHere("expired");
    // Said without taking the focus from somebody who is elsewhere by now.
    end("expired");
    return translator.setText(news, "expired");
  }

  async function removeNow() {
    const about = owned;
    if (!about) return;
    alert.clear();
    remove.disabled = true;
    try {
      await api.remove(about.code, about.ownerToken);
      // Another text may have been saved meanwhile.
      if (owned === about) endHere("deleted");
    } catch (error) {
      if (owned !== about) return;
      if (error instanceof NoText) endHere("expired");
      else alert.tell(error);
    } finally {
      remove.disabled = false;
      keepFocus(remove);
    }
  }

  /** @param {string} text @param {string} done */
  async function give(text, done) {
    translator.clearText(status);
    translator.setText(status, (await copy(text)) ? done : "copy_failed");
  }

  function hideQr() {
    qr.hidden = true;
    qr.replaceChildren();
    qrButton.setAttribute("aria-expanded", "false");
  }

  async function toggleQr() {
    const about = owned;
    if (!qr.hidden || !about) return hideQr();
    translator.clearText(status);
    try {
      // Only when it is wanted: its loss must not stop the saving.
      const { drawQr } = await import("./qr.js");
      if (owned !== about) return undefined;
      qr.replaceChildren(drawQr(linkOf(about.code, about.isSealed)));
      qr.hidden = false;
      return qrButton.setAttribute("aria-expanded", "true");
    } catch {
      return translator.setText(status, "qr_failed");
    }
  }

  shown.addEventListener("click", () => owned && give(owned.code, "code_copied"));
  qrButton.addEventListener("click", toggleQr);
  byPart(root, "copy-phrase").addEventListener("click", () => phrase && give(phrase, "phrase_copied"));
  byPart(root, "copy-both").addEventListener("click", () => owned && give(`${owned.code}\n${phrase}`, "both_copied"));
  byPart(root, "copy-code").addEventListener("click", () => owned && give(owned.code, "code_copied"));
  byPart(root, "copy-link").addEventListener("click", () => owned && give(linkOf(owned.code, owned.isSealed), "link_copied"));
  remove.addEventListener("click", removeNow);
  function hide() {
    owned = null;
    countdown.stop();
    receipt.clear();
    forgetPhrase();
    root.hidden = true;
  }

  byPart(root, "again").addEventListener("click", () => {
    const isOwned = owned?.ownerToken !== "";
    hide();
    again(isOwned);
  });
  return { show, hide, focus: () => heading.focus() };
}

/** @param {string} code @returns {import("./translator.js").Values} */
const spelledBy = (code) => (i18n) => ({
  letters: spell(code)
    .map(({ letter, big }) => i18n.t(big ? "big_letter" : "small_letter", { letter }))
    .join(", "),
});
