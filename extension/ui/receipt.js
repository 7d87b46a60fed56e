/** The sender's receipt: while it is looked at, the service is asked by itself, less and less often. */

import { NoText } from "../core/errors.js";

// In ms. A question with the owner's token costs no look-up budget.
const FIRST_DELAY = 3_000;
const MAX_DELAY = 60_000;
const GROWTH = 1.5;

/** @type {Partial<Record<import("../core/api.js").State, string>>} */
const ENDED = { read: "receipt_read", expired: "receipt_expired", deleted: "receipt_deleted" };

/** @typedef {import("../core/api.js").Receipt} Receipt */

/**
 * @param {object} options
 * @param {HTMLElement} options.line with `role="status"`
 * @param {Pick<ReturnType<typeof import("../core/api.js").makeApi>, "status">} options.api
 * @param {import("./i18n.js").I18n} options.i18n
 * @param {() => import("./savedCode.js").ShownCode | null} options.getCurrent whose receipt it is
 * @param {(state: import("../core/api.js").State) => void} options.onState
 */
export function makeReceipt({ line, api, i18n, getCurrent, onState }) {
  let timer = 0;
  let delay = FIRST_DELAY;
  let shown = "";

  function stop() {
    clearTimeout(timer);
    shown = "";
    line.classList.remove("opened");
    i18n.clearText(line);
  }

  function start() {
    stop();
    delay = FIRST_DELAY;
    if (getCurrent()?.ownerToken) {
      i18n.setText(line, "receipt_waiting");
      schedule();
    }
  }

  function schedule() {
    clearTimeout(timer);
    timer = window.setTimeout(ask, delay);
    delay = Math.min(delay * GROWTH, MAX_DELAY);
  }

  async function ask() {
    const current = getCurrent();
    if (!current?.ownerToken || document.visibilityState !== "visible") return;
    try {
      const receipt = await api.status(current.code, current.ownerToken);
      // Another text may have been saved meanwhile.
      if (getCurrent() !== current) return;
      show(receipt);
      if (receipt.state in ENDED) return;
    } catch (error) {
      if (getCurrent() !== current) return;
      // What nobody has asked for may fail silently; it is asked again.
      if (error instanceof NoText) return void i18n.setText(line, "receipt_unknown");
    }
    schedule();
  }

  /** @param {Receipt} receipt */
  function show(receipt) {
    // What is said anew is read aloud anew.
    const now = JSON.stringify([receipt.state, receipt.firstLoadedAt, receipt.refused]);
    if (now === shown) return;
    shown = now;
    line.classList.toggle("opened", receipt.firstLoadedAt !== null);
    i18n.setText(line, "receipt_facts", (translator) => ({ facts: factsOf(receipt, translator).join(" ") }));
    onState(receipt.state);
  }

  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState !== "visible" || !getCurrent()?.ownerToken) return;
    delay = FIRST_DELAY;
    ask();
  });
  return { start, stop };
}

/** @param {Receipt} receipt @param {import("./translator.js").Translator} translator */
function factsOf({ state, firstLoadedAt, refused }, translator) {
  const ended = ENDED[state];
  const isOpened = firstLoadedAt !== null;
  return [
    // The note of a reading can be lost; a text that was read is not called unopened.
    ...(isOpened ? [translator.t("receipt_opened", { time: translator.dateTime(firstLoadedAt) })] : []),
    ...(isOpened || state === "read" ? [] : [translator.t("receipt_waiting")]),
    ...(ended ? [translator.t(ended)] : []),
    ...(refused > 0 ? [translator.count("receipt_refused", refused)] : []),
  ];
}
