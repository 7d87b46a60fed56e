/** A line that says why nothing seems to happen. */

const MESSAGES = { slow: "waiting_slow", again: "waiting_again" };

/**
 * @param {HTMLElement} line with `role="status"`
 * @param {import("./labels.js").Labels} labels
 * @returns {(why: import("../core/patience.js").Waiting) => void}
 */
export function makeWaiting(line, labels) {
  return (why) => {
    if (why) labels.put(line, MESSAGES[why]);
    else labels.clear(line);
  };
}
