/** The sender's receipt: asked for with a button, so that nothing is asked behind anybody's back. */

import { NoText } from "../core/errors.js";
import { keepFocus } from "./dom.js";

/** @type {Partial<Record<import("../core/api.js").State, string>>} */
const ENDED = { read: "receipt_read", expired: "receipt_expired", deleted: "receipt_deleted" };

/** @typedef {import("../core/api.js").Receipt} Receipt */
/** @typedef {import("../core/api.js").Written} Written */

/**
 * @param {object} options
 * @param {HTMLButtonElement} options.button
 * @param {HTMLElement} options.line with `role="status"`
 * @param {ReturnType<typeof import("../core/api.js").makeApi>} options.api
 * @param {import("./i18n.js").I18n} options.i18n
 * @param {() => Written | null} options.getWritten whose receipt is asked for
 * @param {(state: import("../core/api.js").State) => void} options.onState
 * @param {(error: unknown) => void} options.onError
 */
export function makeReceipt({ button, line, api, i18n, getWritten, onState, onError }) {
  async function ask() {
    const current = getWritten();
    if (!current) return;
    i18n.clearText(line);
    button.disabled = true;
    try {
      const receipt = await api.status(current.code, current.ownerToken);
      // Another text may have been saved meanwhile.
      if (getWritten() === current) show(receipt);
    } catch (error) {
      if (getWritten() === current) showError(error);
    } finally {
      button.disabled = false;
      keepFocus(button);
    }
  }

  /** @param {Receipt} receipt */
  function show(receipt) {
    i18n.setText(line, "receipt_facts", (translator) => ({ facts: factsOf(receipt, translator).join(" ") }));
    onState(receipt.state);
  }

  /** @param {unknown} error */
  function showError(error) {
    if (error instanceof NoText) i18n.setText(line, "receipt_unknown");
    else onError(error);
  }

  button.addEventListener("click", ask);
  return { clear: () => i18n.clearText(line) };
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
