/** A line that says why nothing seems to happen. */

const MESSAGES = { slow: "waiting_slow", again: "waiting_again" };

/**
 * @param {HTMLElement} line with `role="status"`
 * @param {import("./i18n.js").I18n} i18n
 * @returns {(why: import("../core/retry.js").WaitState) => void}
 */
export function makeWaitingMessage(line, i18n) {
  return (why) => {
    if (why) i18n.setText(line, MESSAGES[why]);
    else i18n.clearText(line);
  };
}
