/** Words on the page: put there, and put again when the language changes. */

/** @typedef {import("./translator.js").Translator} Translator */
/** @typedef {(translator: Translator) => Record<string, string>} Values */
/** @typedef {ReturnType<typeof makeI18n>} I18n */

const ATTRIBUTES = { i18nLabel: "aria-label", i18nPlaceholder: "placeholder" };
const SELECTOR = "[data-i18n], [data-i18n-label], [data-i18n-placeholder]";

/** @param {Translator} translator */
export function makeI18n(translator) {
  /** @type {WeakMap<Element, Values>} */
  const valuesOf = new WeakMap();

  /** @param {HTMLElement} element */
  function update(element) {
    const values = valuesOf.get(element)?.(translator);
    if (element.dataset.i18n) element.textContent = translator.t(element.dataset.i18n, values);
    for (const [name, attribute] of Object.entries(ATTRIBUTES)) {
      const key = element.dataset[name];
      if (key) element.setAttribute(attribute, translator.t(key, values));
    }
  }

  return {
    translator,

    /**
     * Put a message into an element. `values` is asked again for another language.
     * @param {HTMLElement} element
     * @param {string} key
     * @param {Values} [values]
     */
    setText(element, key, values) {
      element.dataset.i18n = key;
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
      element.dataset.i18nLabel = key;
      valuesOf.set(element, values);
      update(element);
    },

    /** @param {HTMLElement} element */
    clearText(element) {
      delete element.dataset.i18n;
      element.textContent = "";
    },

    /** Say everything again, in the language of now. @param {ParentNode} root */
    updateAll(root) {
      for (const element of root.querySelectorAll(SELECTOR)) update(/** @type {HTMLElement} */ (element));
    },
  };
}
