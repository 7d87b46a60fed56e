/** What is shown after saving: the code, what holds for it, and what can be done with it. */

import { fetchSecondsLeft } from "../core/saving.js";
import { makeAlert } from "./alert.js";
import { makeCountdown } from "./countdown.js";
import { byPart } from "./dom.js";
import { makeDeleteButton } from "./deleteButton.js";
import { makeExtendButton } from "./extendButton.js";
import { makeReceipt } from "./receipt.js";
import { makeSavedLink } from "./savedLink.js";

/**
 * How a text ended, as the headline says it.
 * @type {Partial<Record<import("../core/api.js").State, string>>}
 */
const ENDED = { read: "read", expired: "expired", deleted: "deleted" };

// When the service is asked again how long a text lives that has ended by the clock, and it could not be asked; in seconds.
const RETRY_AFTER = 60;

/**
 * A code to show. `ownerToken`: "" for one that comes from the history; `phrase`: made for it, "" for none;
 * `text`: what was saved, "" where it is not known any more; `savedAt` in ms.
 * @typedef {import("../core/saving.js").SaveResult & {phrase: string, text: string, savedAt: number}} ShownCode
 */
/** @typedef {(code: string, marks: import("../core/codeSearch.js").LinkMarks) => string} LinkOf */

/**
 * @param {object} options
 * @param {HTMLElement} options.root
 * @param {ReturnType<typeof import("../core/api.js").makeApi>} options.api
 * @param {import("./i18n.js").I18n} options.i18n
 * @param {LinkOf} options.linkOf
 * @param {(text: string) => Promise<boolean>} options.copy
 * @param {(isOwned: boolean) => void} options.onAgain to save another text; `isOwned`: whether its owner token was here
 * @param {(shown: ShownCode) => void} options.onEdit to save the same text again
 * @param {(code: string) => void} options.onEnd told when the code opens nothing any more
 * @param {(shown: ShownCode) => void} options.onExtended told when the text lives longer
 */
export function makeSavedCode({ root, api, i18n, linkOf, copy, onAgain, onEdit, onEnd, onExtended }) {
  const heading = byPart(root, "saved-heading");
  const codeElement = byPart(root, "code");
  const liveRegion = byPart(root, "saved-news");
  const status = byPart(root, "saved-status");
  const details = byPart(root, "saved-details");
  const actions = byPart(root, "saved-actions");
  const before = byPart(root, "saved-before");
  const copyButton = byPart(root, "copy-code");
  const alert = makeAlert(byPart(root, "saved-alert"), i18n);
  const countdown = makeCountdown(i18n);
  /** @type {ShownCode | null} */
  let current = null;
  let shownAt = 0;
  const getCurrent = () => current;
  const common = { root, api, i18n, getCurrent, onError: (/** @type {unknown} */ error) => alert.showError(error) };

  const receipt = makeReceipt({
    ...common,
    line: byPart(root, "receipt"),
    onState: (state) => {
      const key = ENDED[state];
      if (key) showEnded(key);
    },
  });
  const deleteButton = makeDeleteButton({ ...common, showStatus, onEnded: onRemoved });
  const extendButton = makeExtendButton({ ...common, showStatus, onExtended: showExtended });
  const link = makeSavedLink({ root, i18n, getCurrent, linkOf, copyWithStatus, showStatus });

  /**
   * @param {ShownCode} shown
   * @param {boolean} isRestored whether it was saved some time ago
   * @param {boolean} canEdit whether its text may go into the form
   */
  function show(shown, isRestored, canEdit) {
    current = shown;
    shownAt = performance.now();
    const { code, ownerToken } = shown;
    alert.clear();
    showStatus("");
    codeElement.textContent = code;
    i18n.setText(heading, "your_code");
    i18n.setText(byPart(root, "spelled"), "spelled", spelledBy(code));
    showBefore(isRestored);
    byPart(root, "edit").hidden = shown.text === "" || !canEdit;
    deleteButton.reset(ownerToken !== "");
    extendButton.reset(ownerToken !== "");
    link.show(shown);
    details.hidden = actions.hidden = root.hidden = false;
    heading.classList.add("unseen");
    startCountdown(shown.secondsLeft);
    receipt.start();
    root.scrollIntoView({ block: "start" });
    copyButton.focus({ preventScroll: true });
    // A screen reader hears of what changes while it can be seen, not of what was there before.
    requestAnimationFrame(() => i18n.setText(liveRegion, "saved", spelledBy(code)));
  }

  /** @param {boolean} isRestored */
  function showBefore(isRestored) {
    before.hidden = !isRestored;
    i18n.setText(before, "saved_before", (translator) => ({ time: translator.dateTime(current?.savedAt ?? 0) }));
  }

  /** @param {number} secondsLeft */
  function startCountdown(secondsLeft) {
    const until = Date.now() + secondsLeft * 1000;
    i18n.setText(byPart(root, "saved-facts"), "saved_facts", (translator) => ({ facts: factsOf(current, until, translator) }));
    countdown.start(secondsLeft, expire);
  }

  /** @param {number} secondsLeft */
  function showExtended(secondsLeft) {
    if (!current) return;
    // The same object: its receipt goes on.
    current.secondsLeft = secondsLeft;
    startCountdown(secondsLeft);
    onExtended(current);
  }

  /**
   * Its receipt can still be seen.
   * @param {string} key of the message that says how the text ended
   */
  function showEnded(key) {
    // Not taken from somebody who is elsewhere by now.
    const hadFocus = root.contains(document.activeElement);
    countdown.stop();
    deleteButton.cancel();
    details.hidden = actions.hidden = before.hidden = true;
    heading.classList.remove("unseen");
    link.clear();
    i18n.setText(heading, key);
    i18n.setText(liveRegion, key);
    if (hadFocus) byPart(root, "again").focus();
    if (current) onEnd(current.code);
  }

  /** Whoever deletes a text and goes on meanwhile sees another one. @param {string} key @param {ShownCode} about */
  function onRemoved(key, about) {
    if (current === about) showEnded(key);
    else onEnd(about.code);
  }

  /** @param {boolean} isCertain whether that much time has gone by, and not only a clock been set */
  async function expire(isCertain) {
    const about = current;
    if (!about) return;
    const left = isCertain || !about.ownerToken ? 0 : await fetchSecondsLeft(api, about).catch(() => RETRY_AFTER);
    if (current !== about) return;
    if (left > 0) startCountdown(left);
    else showEnded("expired");
  }

  /** @param {string} text @param {string} done */
  async function copyWithStatus(text, done) {
    const isCopied = await copy(text);
    showStatus(isCopied ? done : "copy_failed", !isCopied);
  }

  /** @param {string} key "" for nothing @param {boolean} [isFailure] @param {import("./i18n.js").Values} [values] */
  function showStatus(key, isFailure = false, values = undefined) {
    i18n.clearText(status);
    status.classList.toggle("failed", isFailure);
    if (key) i18n.setText(status, key, values);
  }

  function hide() {
    deleteButton.finish();
    current = null;
    countdown.stop();
    receipt.stop();
    link.clear();
    root.hidden = true;
  }

  /** @param {(about: ShownCode) => void} action @param {...HTMLElement} elements */
  function onClick(action, ...elements) {
    for (const element of elements) element.addEventListener("click", () => current && action(current));
  }

  onClick(({ code }) => copyWithStatus(code, "code_copied"), codeElement, copyButton);
  onClick((about) => onEdit(about), byPart(root, "edit"));
  byPart(root, "again").addEventListener("click", () => {
    const isOwned = current?.ownerToken !== "";
    hide();
    onAgain(isOwned);
  });
  return {
    applyLimits: extendButton.applyLimits,
    show,
    hide,
    focus: () => copyButton.focus(),
    /** The code that is shown, and what to do when it was copied; null where none is. */
    copied: () => (current && !details.hidden ? { text: current.code, shownAt, done: () => showStatus("code_copied") } : null),
  };
}

/** @param {ShownCode | null} about @param {number} until in ms @param {import("./translator.js").Translator} translator */
function factsOf(about, until, translator) {
  return [
    ...(about?.once ? [translator.t("fact_once")] : []),
    ...(about?.isSealed ? [translator.t("fact_password")] : []),
    translator.t("fact_until", { time: translator.dateTime(until) }),
  ].join(" · ");
}

/** @param {string} code @returns {import("./i18n.js").Values} */
const spelledBy = (code) => (translator) => ({ letters: translator.spelling(code) });
