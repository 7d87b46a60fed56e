/** A line that says why nothing seems to happen. */

const MESSAGES = { slow: "waiting_slow", again: "waiting_again" };

/**
 * @param {HTMLElement} line with `role="status"`
 * @param {import("./translator.js").Translator} translator
 * @returns {(why: import("../core/retry.js").Waiting) => void}
 */
export function makeWaiting(line, translator) {
  return (why) => {
    if (why) translator.setText(line, MESSAGES[why]);
    else translator.clearText(line);
  };
}
