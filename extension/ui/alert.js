/** The alert of a panel: says what went wrong and takes a person there. */

import { messageOf } from "./errorMessages.js";

/**
 * @param {HTMLElement} region with `role="alert"` and an id
 * @param {import("./translator.js").Translator} translator
 */
export function makeAlert(region, translator) {
  /** @type {HTMLElement | null} */
  let marked = null;

  function clear() {
    translator.clearText(region);
    marked?.removeAttribute("aria-invalid");
    marked = null;
  }

  /** @param {HTMLElement} field */
  function mark(field) {
    marked = field;
    field.setAttribute("aria-invalid", "true");
    field.focus();
  }

  return {
    clear,

    /**
     * Say a message; `field` is the one to mend, if there is one.
     * @param {string} key
     * @param {import("./translator.js").Values} [values]
     * @param {HTMLElement} [field]
     */
    say(key, values, field) {
      clear();
      translator.setText(region, key, values);
      if (field) mark(field);
      // On a small screen the field to mend can push the reason out of sight.
      region.scrollIntoView({ block: "nearest" });
    },

    /** Say what an error means. @param {unknown} error @param {HTMLElement} [field] */
    tell(error, field) {
      const [key, values] = messageOf(error);
      this.say(key, values, field);
    },
  };
}
