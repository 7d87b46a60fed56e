/** The alert of a panel: says what went wrong and takes a user there. */

import { errorMessage } from "./errorMessages.js";

/**
 * @param {HTMLElement} element with `role="alert"` and an id
 * @param {import("./i18n.js").I18n} i18n
 */
export function makeAlert(element, i18n) {
  /** @type {HTMLElement | null} */
  let marked = null;

  function clear() {
    i18n.clearText(element);
    marked?.removeAttribute("aria-invalid");
    marked = null;
  }

  /** @param {HTMLElement} field */
  function mark(field) {
    marked = field;
    field.setAttribute("aria-invalid", "true");
    field.focus();
  }

  /**
   * Say a message; `field` is the one to mend, if there is one.
   * @param {string} key
   * @param {import("./i18n.js").Values} [values]
   * @param {HTMLElement} [field]
   */
  function show(key, values, field) {
    clear();
    i18n.setText(element, key, values);
    if (field) mark(field);
    // On a small screen the field to mend can push the reason out of sight.
    element.scrollIntoView({ block: "nearest" });
  }

  /** Say what an error means. @param {unknown} error @param {HTMLElement} [field] */
  function showError(error, field) {
    const [key, values] = errorMessage(error);
    show(key, values, field);
  }

  return { clear, show, showError };
}
