/** The history panel: which codes were saved and loaded here, and how long they still hold. */

import { byPart } from "./dom.js";
import { makeConfirmButton } from "./confirmButton.js";
import { showStatus } from "./status.js";

const MINUTE = 60_000;
const MESSAGES = { saved: "history_saved", loaded: "history_loaded" };

/** @typedef {import("../core/history.js").Entry} Entry */

/**
 * @param {object} options
 * @param {HTMLElement} options.root
 * @param {ReturnType<typeof import("../core/history.js").makeHistory>} options.history
 * @param {import("./i18n.js").I18n} options.i18n
 * @param {boolean} options.isOn
 * @param {(entry: Entry) => void} options.open the code of a text that was saved here
 * @param {(code: string) => void} options.load a code in the Load panel
 */
export function makeHistoryPanel({ root, history, i18n, isOn, open, load }) {
  const list = byPart(root, "history");
  const emptyHint = byPart(root, "no-history");
  const removeAllButton = byPart(root, "forget-all");
  const status = byPart(root, "history-status");

  async function show() {
    const entries = await history.list();
    list.replaceChildren(...entries.map(row));
    removeAllButton.hidden = entries.length === 0;
    emptyHint.hidden = entries.length > 0 && isOn;
    i18n.setText(emptyHint, isOn ? "history_empty" : "history_off");
  }

  /** @param {Entry} entry */
  function row(entry) {
    const line = document.createElement("li");
    line.dataset.code = entry.code;
    const buttons = createElement("span", "row");
    buttons.append(...(isSavedHere(entry) ? [loadButton(entry)] : []), removeButton(entry));
    line.append(codeButton(entry), timeElement(MESSAGES[entry.action], entry), timeLeftElement(entry), buttons);
    return line;
  }

  /** @param {Entry} entry */
  function codeButton(entry) {
    const { code } = entry;
    const button = createElement("button", "plain letters");
    // A load of what is gone would be counted as a guess.
    const disabled = isExpired(entry);
    Object.assign(button, { type: "button", textContent: code, lang: "en", translate: false, disabled });
    i18n.setLabel(button, isSavedHere(entry) ? "history_show" : "history_open", () => ({ code }));
    button.addEventListener("click", () => (isSavedHere(entry) ? open(entry) : load(code)));
    return button;
  }

  /** @param {Entry} entry */
  function loadButton(entry) {
    const button = /** @type {HTMLButtonElement} */ (createElement("button", "plain"));
    Object.assign(button, { type: "button", disabled: isExpired(entry) });
    Object.assign(button.dataset, { part: "history-load", i18n: "history_load" });
    i18n.setText(button, "history_load");
    // Whoever reads a one-time text of their own takes it from the one it is for.
    makeConfirmButton(button, i18n, { needsConfirmation: async () => entry.once === true, action: async () => load(entry.code) });
    return button;
  }

  /** @param {string} key @param {Entry} entry */
  function timeElement(key, { at }) {
    const shown = createElement("span", "facts");
    i18n.setText(shown, at === null ? `${key}_once` : key, (translator) => ({ time: at === null ? "" : translator.dateTime(at) }));
    return shown;
  }

  /** @param {Entry} entry */
  function timeLeftElement({ expiresAt }) {
    const shown = createElement("span", "facts");
    const seconds = expiresAt === null ? null : Math.ceil((expiresAt - Date.now()) / 1000);
    if (seconds === null) return shown;
    // To the minute: nobody watches a list for seconds.
    const whole = seconds > 60 ? Math.floor((seconds * 1000) / MINUTE) * 60 : seconds;
    if (seconds > 0) i18n.setText(shown, "left", (translator) => ({ time: translator.duration(whole, "short") }));
    else i18n.setText(shown, "history_gone");
    return shown;
  }

  /** @param {Entry} entry */
  function removeButton(entry) {
    const button = /** @type {HTMLButtonElement} */ (createElement("button", "link"));
    button.type = "button";
    button.dataset.part = "forget";
    i18n.setText(button, "forget");
    i18n.setLabel(button, "forget_code", () => ({ code: entry.code }));
    button.addEventListener("click", async () => {
      await history.remove(entry);
      await showRemoved();
    });
    return button;
  }

  /** What was pressed is gone with its line. */
  async function showRemoved() {
    await show();
    showStatus(status, i18n, "forgotten");
    (list.querySelector("button:not(:disabled)") ?? root).focus();
  }

  removeAllButton.addEventListener("click", async () => {
    await history.removeAll();
    await showRemoved();
  });
  return { show };
}

/** What extension 1.x has noted says too little to be shown as one's own code. @param {Entry} entry */
const isSavedHere = ({ action, expiresAt }) => action === "saved" && expiresAt !== null;

/** @param {Entry} entry */
const isExpired = ({ expiresAt }) => expiresAt !== null && expiresAt <= Date.now();

/** @param {string} tag @param {string} className */
function createElement(tag, className) {
  const element = document.createElement(tag);
  element.className = className;
  return element;
}
