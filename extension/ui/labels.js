/** Words on the page: put there, and put again when the language changes. */

/** @typedef {import("./words.js").Words} Words */
/** @typedef {(words: Words) => Record<string, string>} Values */
/** @typedef {ReturnType<typeof makeLabels>} Labels */

const ATTRIBUTES = { sayLabel: "aria-label", sayPlaceholder: "placeholder" };
const SELECTOR = "[data-say], [data-say-label], [data-say-placeholder]";

/** @param {Words} words */
export function makeLabels(words) {
  /** @type {WeakMap<Element, Values>} */
  const valuesOf = new WeakMap();

  /** @param {HTMLElement} element */
  function say(element) {
    const values = valuesOf.get(element)?.(words);
    if (element.dataset.say) element.textContent = words.say(element.dataset.say, values);
    for (const [name, attribute] of Object.entries(ATTRIBUTES)) {
      const key = element.dataset[name];
      if (key) element.setAttribute(attribute, words.say(key, values));
    }
  }

  return {
    words,

    /**
     * Put a message into an element. `values` is asked again for another language.
     * @param {HTMLElement} element
     * @param {string} key
     * @param {Values} [values]
     */
    put(element, key, values) {
      element.dataset.say = key;
      if (values) valuesOf.set(element, values);
      else valuesOf.delete(element);
      say(element);
    },

    /**
     * Name an element that shows no name of its own, or a shorter one.
     * @param {HTMLElement} element
     * @param {string} key
     * @param {Values} values
     */
    name(element, key, values) {
      element.dataset.sayLabel = key;
      valuesOf.set(element, values);
      say(element);
    },

    /** @param {HTMLElement} element */
    clear(element) {
      delete element.dataset.say;
      element.textContent = "";
    },

    /** Say everything again, in the language of now. @param {ParentNode} root */
    renew(root) {
      for (const element of root.querySelectorAll(SELECTOR)) say(/** @type {HTMLElement} */ (element));
    },
  };
}
