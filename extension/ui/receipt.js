/** The sender's receipt: asked for with a button, so that nothing is asked behind anybody's back. */

import { NoText } from "../core/errors.js";
import { keepFocus } from "./dom.js";

/** @type {Partial<Record<import("../core/api.js").State, string>>} */
const ENDED = { read: "receipt_read", expired: "receipt_expired", deleted: "receipt_deleted" };

/** @typedef {import("../core/api.js").Receipt} Receipt */
/** @typedef {import("../core/api.js").Written} Written */

/**
 * @param {object} wiring
 * @param {HTMLButtonElement} wiring.button
 * @param {HTMLElement} wiring.line with `role="status"`
 * @param {ReturnType<typeof import("../core/api.js").makeApi>} wiring.api
 * @param {import("./labels.js").Labels} wiring.labels
 * @param {() => Written | null} wiring.owned whose receipt is asked for
 * @param {(state: import("../core/api.js").State) => void} wiring.told
 * @param {(error: unknown) => void} wiring.failed
 */
export function makeReceipt({ button, line, api, labels, owned, told, failed }) {
  async function ask() {
    const about = owned();
    if (!about) return;
    labels.clear(line);
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
    labels.put(line, "receipt_told", (words) => ({ facts: factsOf(receipt, words).join(" ") }));
    told(receipt.state);
  }

  /** @param {unknown} error */
  function fail(error) {
    if (error instanceof NoText) labels.put(line, "receipt_unknown");
    else failed(error);
  }

  button.addEventListener("click", ask);
  return { clear: () => labels.clear(line) };
}

/** @param {Receipt} receipt @param {import("./words.js").Words} words */
function factsOf({ state, firstLoadedAt, refused }, words) {
  const ended = ENDED[state];
  const isOpened = firstLoadedAt !== null;
  return [
    // The note of a reading can be lost; a text that was read is not called unopened.
    ...(isOpened ? [words.say("receipt_opened", { time: words.moment(firstLoadedAt) })] : []),
    ...(isOpened || state === "read" ? [] : [words.say("receipt_waiting")]),
    ...(ended ? [words.say(ended)] : []),
    ...(refused > 0 ? [words.count("receipt_refused", refused)] : []),
  ];
}
