/** The status of a panel: a failure looks like one. */

const FAILED_MESSAGES = ["copy_failed", "note_failed"];

/**
 * Say what came of an action, also where the same was said before.
 * @param {HTMLElement} element with `role="status"`
 * @param {import("./i18n.js").I18n} i18n
 * @param {string} key
 */
export function showStatus(element, i18n, key) {
  i18n.clearText(element);
  element.classList.toggle("failed", FAILED_MESSAGES.includes(key));
  i18n.setText(element, key);
}
