/** The history panel: which codes were saved and loaded here, and how long they still hold. */

import { byPart } from "./dom.js";
import { makeConfirmButton } from "./confirmButton.js";

const MINUTE = 60_000;
const MESSAGES = { saved: "history_saved", loaded: "history_loaded" };

/** @typedef {import("../core/history.js").Entry} Entry */

/**
 * @param {object} options
 * @param {HTMLElement} options.root
 * @param {ReturnType<typeof import("../core/history.js").makeHistory>} options.history
 * @param {import("./translator.js").Translator} options.translator
 * @param {boolean} options.isOn
 * @param {(entry: Entry) => void} options.open the code of a text that was saved here
 * @param {(code: string) => void} options.load a code in the Load panel
 */
export function makeHistoryPanel({ root, history, translator, isOn, open, load }) {
  const list = byPart(root, "history");
  const none = byPart(root, "no-history");
  const all = byPart(root, "forget-all");
  const status = byPart(root, "history-status");

  async function show() {
    const entries = await history.list();
    list.replaceChildren(...entries.map(row));
    all.hidden = entries.length === 0;
    none.hidden = entries.length > 0 && isOn;
    translator.setText(none, isOn ? "history_empty" : "history_off");
  }

  /** @param {Entry} entry */
  function row(entry) {
    const line = document.createElement("li");
    line.dataset.code = entry.code;
    const actions = made("span", "row");
    actions.append(...(isOwn(entry) ? [loading(entry)] : []), forgetting(entry));
    line.append(codeOf(entry), said(MESSAGES[entry.deed], entry), left(entry), actions);
    return line;
  }

  /** @param {Entry} entry */
  function codeOf(entry) {
    const { code } = entry;
    const button = made("button", "plain letters");
    // A load of what is gone would be counted as a guess.
    const disabled = isGone(entry);
    Object.assign(button, { type: "button", textContent: code, lang: "en", translate: false, disabled });
    translator.setLabel(button, isOwn(entry) ? "history_show" : "history_open", () => ({ code }));
    button.addEventListener("click", () => (isOwn(entry) ? open(entry) : load(code)));
    return button;
  }

  /** @param {Entry} entry */
  function loading(entry) {
    const button = /** @type {HTMLButtonElement} */ (made("button", "plain"));
    Object.assign(button, { type: "button", disabled: isGone(entry) });
    Object.assign(button.dataset, { part: "history-load", say: "history_load" });
    translator.setText(button, "history_load");
    // Whoever reads a one-time text of their own takes it from the one it is for.
    makeConfirmButton(button, translator, { needsConfirmation: async () => entry.once === true, action: async () => load(entry.code) });
    return button;
  }

  /** @param {string} key @param {Entry} entry */
  function said(key, { at }) {
    const shown = made("span", "facts");
    translator.setText(shown, at === null ? `${key}_once` : key, (i18n) => ({ time: at === null ? "" : i18n.moment(at) }));
    return shown;
  }

  /** @param {Entry} entry */
  function left({ expiresAt }) {
    const shown = made("span", "facts");
    const seconds = expiresAt === null ? null : Math.ceil((expiresAt - Date.now()) / 1000);
    if (seconds === null) return shown;
    // To the minute: nobody watches a list for seconds.
    const whole = seconds > 60 ? Math.floor((seconds * 1000) / MINUTE) * 60 : seconds;
    if (seconds > 0) translator.setText(shown, "left", (i18n) => ({ time: i18n.duration(whole, "short") }));
    else translator.setText(shown, "history_gone");
    return shown;
  }

  /** @param {Entry} entry */
  function forgetting(entry) {
    const button = /** @type {HTMLButtonElement} */ (made("button", "plain"));
    button.type = "button";
    button.dataset.part = "forget";
    translator.setText(button, "forget");
    translator.setLabel(button, "forget_code", () => ({ code: entry.code }));
    button.addEventListener("click", async () => {
      await history.forget(entry);
      await after();
    });
    return button;
  }

  /** What was pressed is gone with its line. */
  async function after() {
    await show();
    translator.clearText(status);
    translator.setText(status, "forgotten");
    (list.querySelector("button:not(:disabled)") ?? root).focus();
  }

  all.addEventListener("click", async () => {
    await history.forgetAll();
    await after();
  });
  return { show };
}

/** What extension 1.x has noted says too little to be shown as one's own code. @param {Entry} entry */
const isOwn = ({ deed, expiresAt }) => deed === "saved" && expiresAt !== null;

/** @param {Entry} entry */
const isGone = ({ expiresAt }) => expiresAt !== null && expiresAt <= Date.now();

/** @param {string} tag @param {string} className */
function made(tag, className) {
  const element = document.createElement(tag);
  element.className = className;
  return element;
}
