/** The history panel: which codes were saved and loaded here, and how long they still hold. */

import { part } from "./dom.js";
import { makeSure } from "./sure.js";

const MINUTE = 60_000;
const DEEDS = { saved: "history_saved", loaded: "history_loaded" };

/** @typedef {import("../core/history.js").Entry} Entry */

/**
 * @param {object} wiring
 * @param {HTMLElement} wiring.root
 * @param {ReturnType<typeof import("../core/history.js").makeHistory>} wiring.history
 * @param {import("./labels.js").Labels} wiring.labels
 * @param {boolean} wiring.isOn
 * @param {(entry: Entry) => void} wiring.open the code of a text that was saved here
 * @param {(code: string) => void} wiring.load a code in the Load panel
 */
export function makeHistoryPanel({ root, history, labels, isOn, open, load }) {
  const list = part(root, "history");
  const none = part(root, "no-history");
  const all = part(root, "forget-all");
  const status = part(root, "history-status");

  async function show() {
    const entries = await history.list();
    list.replaceChildren(...entries.map(row));
    all.hidden = entries.length === 0;
    none.hidden = entries.length > 0 && isOn;
    labels.put(none, isOn ? "history_empty" : "history_off");
  }

  /** @param {Entry} entry */
  function row(entry) {
    const line = document.createElement("li");
    line.dataset.code = entry.code;
    const deeds = made("span", "row");
    deeds.append(...(isOwn(entry) ? [loading(entry)] : []), forgetting(entry));
    line.append(codeOf(entry), said(DEEDS[entry.deed], entry), left(entry), deeds);
    return line;
  }

  /** @param {Entry} entry */
  function codeOf(entry) {
    const { code } = entry;
    const button = made("button", "plain letters");
    // A load of what is gone would be counted as a guess.
    const disabled = isGone(entry);
    Object.assign(button, { type: "button", textContent: code, lang: "en", translate: false, disabled });
    labels.name(button, isOwn(entry) ? "history_show" : "history_open", () => ({ code }));
    button.addEventListener("click", () => (isOwn(entry) ? open(entry) : load(code)));
    return button;
  }

  /** @param {Entry} entry */
  function loading(entry) {
    const button = /** @type {HTMLButtonElement} */ (made("button", "plain"));
    Object.assign(button, { type: "button", disabled: isGone(entry) });
    Object.assign(button.dataset, { part: "history-load", say: "history_load" });
    labels.put(button, "history_load");
    // Whoever reads a one-time text of their own takes it from the one it is for.
    makeSure(button, labels, { asks: async () => entry.once === true, deed: async () => load(entry.code) });
    return button;
  }

  /** @param {string} key @param {Entry} entry */
  function said(key, { at }) {
    const shown = made("span", "facts");
    labels.put(shown, at === null ? `${key}_once` : key, (words) => ({ time: at === null ? "" : words.moment(at) }));
    return shown;
  }

  /** @param {Entry} entry */
  function left({ expiresAt }) {
    const shown = made("span", "facts");
    const seconds = expiresAt === null ? null : Math.ceil((expiresAt - Date.now()) / 1000);
    if (seconds === null) return shown;
    // To the minute: nobody watches a list for seconds.
    const whole = seconds > 60 ? Math.floor((seconds * 1000) / MINUTE) * 60 : seconds;
    if (seconds > 0) labels.put(shown, "left", (words) => ({ time: words.duration(whole, "short") }));
    else labels.put(shown, "history_gone");
    return shown;
  }

  /** @param {Entry} entry */
  function forgetting(entry) {
    const button = /** @type {HTMLButtonElement} */ (made("button", "plain"));
    button.type = "button";
    button.dataset.part = "forget";
    labels.put(button, "forget");
    labels.name(button, "forget_code", () => ({ code: entry.code }));
    button.addEventListener("click", async () => {
      await history.forget(entry);
      await after();
    });
    return button;
  }

  /** What was pressed is gone with its line. */
  async function after() {
    await show();
    labels.clear(status);
    labels.put(status, "forgotten");
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
