/** Messages on the page: written into elements, and written again when the language changes. */

/** @typedef {import("./i18n.js").I18n} I18n */
/** @typedef {(i18n: I18n) => Record<string, string>} Values */
/** @typedef {ReturnType<typeof makeTranslator>} Translator */

const ATTRIBUTES = { sayLabel: "aria-label", sayPlaceholder: "placeholder" };
const SELECTOR = "[data-say], [data-say-label], [data-say-placeholder]";

/** @param {I18n} i18n */
export function makeTranslator(i18n) {
  /** @type {WeakMap<Element, Values>} */
  const valuesOf = new WeakMap();

  /** @param {HTMLElement} element */
  function update(element) {
    const values = valuesOf.get(element)?.(i18n);
    if (element.dataset.say) element.textContent = i18n.t(element.dataset.say, values);
    for (const [name, attribute] of Object.entries(ATTRIBUTES)) {
      const key = element.dataset[name];
      if (key) element.setAttribute(attribute, i18n.t(key, values));
    }
  }

  return {
    i18n,

    /**
     * Write a message into an element. `values` is asked again for another language.
     * @param {HTMLElement} element
     * @param {string} key
     * @param {Values} [values]
     */
    setText(element, key, values) {
      element.dataset.say = key;
      if (values) valuesOf.set(element, values);
      else valuesOf.delete(element);
      update(element);
    },

    /**
     * Name an element that shows no name of its own, or a shorter one.
     * @param {HTMLElement} element
     * @param {string} key
     * @param {Values} values
     */
    setLabel(element, key, values) {
      element.dataset.sayLabel = key;
      valuesOf.set(element, values);
      update(element);
    },

    /** @param {HTMLElement} element */
    clearText(element) {
      delete element.dataset.say;
      element.textContent = "";
    },

    /** Say everything again, in the language of now. @param {ParentNode} root */
    refresh(root) {
      for (const element of root.querySelectorAll(SELECTOR)) update(/** @type {HTMLElement} */ (element));
    },
  };
}
