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
 * @param {import("./translator.js").Translator} options.translator
 * @param {() => Written | null} options.owned whose receipt is asked for
 * @param {(state: import("../core/api.js").State) => void} options.told
 * @param {(error: unknown) => void} options.failed
 */
export function makeReceipt({ button, line, api, translator, owned, told, failed }) {
  async function ask() {
    const about = owned();
    if (!about) return;
    translator.clearText(line);
    button.disabled = true;
    try {
      const receipt = await api.status(about.code, about.ownerToken);
      // Another text may have been saved meanwhile.
      if (owned() === about) show(receipt);
    } catch (error) {
      if (owned() === about) fail(error);
    } finally {
      button.disabled = false;
      keepFocus(button);
    }
  }

  /** @param {Receipt} receipt */
  function show(receipt) {
    translator.setText(line, "receipt_told", (i18n) => ({ facts: factsOf(receipt, i18n).join(" ") }));
    told(receipt.state);
  }

  /** @param {unknown} error */
  function fail(error) {
    if (error instanceof NoText) translator.setText(line, "receipt_unknown");
    else failed(error);
  }

  button.addEventListener("click", ask);
  return { clear: () => translator.clearText(line) };
}

/** @param {Receipt} receipt @param {import("./i18n.js").I18n} i18n */
function factsOf({ state, firstLoadedAt, refused }, i18n) {
  const ended = ENDED[state];
  const isOpened = firstLoadedAt !== null;
  return [
    // The note of a reading can be lost; a text that was read is not called unopened.
    ...(isOpened ? [i18n.t("receipt_opened", { time: i18n.moment(firstLoadedAt) })] : []),
    ...(isOpened || state === "read" ? [] : [i18n.t("receipt_waiting")]),
    ...(ended ? [i18n.t(ended)] : []),
    ...(refused > 0 ? [i18n.count("receipt_refused", refused)] : []),
  ];
}
