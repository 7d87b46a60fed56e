/** A line that says why nothing seems to happen, beside the button that was pressed. */

const MESSAGES = { slow: "waiting_slow", again: "waiting_again" };
// What nobody has pressed has nothing to say.
const LINES = "form .waiting";
const BUSY = "form[aria-busy] .waiting";

/**
 * @param {ParentNode} root with a line in each form
 * @param {import("./i18n.js").I18n} i18n
 * @returns {(why: import("../core/retry.js").WaitState) => void}
 */
export function makeWaitingMessage(root, i18n) {
  return (why) => {
    for (const line of root.querySelectorAll(LINES)) i18n.clearText(/** @type {HTMLElement} */ (line));
    const line = /** @type {HTMLElement | null} */ (root.querySelector(BUSY));
    if (why && line) i18n.setText(line, MESSAGES[why]);
  };
}
