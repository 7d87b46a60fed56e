/** The alert of a panel: says what went wrong and takes a person there. */

import { messageOf } from "./faults.js";

/**
 * @param {HTMLElement} region with `role="alert"` and an id
 * @param {import("./labels.js").Labels} labels
 */
export function makeAlert(region, labels) {
  /** @type {HTMLElement | null} */
  let marked = null;

  function clear() {
    labels.clear(region);
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
     * @param {import("./labels.js").Values} [values]
     * @param {HTMLElement} [field]
     */
    say(key, values, field) {
      clear();
      labels.put(region, key, values);
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
