/** A small `document`: every `data-part` that is asked for exists. It knows nothing of layout and markup. */

export class FakeElement {
  constructor(tag = "div") {
    this.classes = new Set();
    const toggle = (name, isOn) => void (isOn ? this.classes.add(name) : this.classes.delete(name));
    Object.assign(this, { tag, dataset: {}, attributes: {}, listeners: {}, children: [], value: "", textContent: "", hidden: false });
    Object.assign(this, { disabled: false, checked: false, selectionStart: 0, selectionEnd: 0, classList: { toggle } });
  }

  addEventListener(name, listener) {
    (this.listeners[name] ??= []).push(listener);
  }

  /** Call the listeners of an event, and wait for them. */
  async emit(name, event = {}) {
    const listeners = this.listeners[name] ?? [];
    await Promise.all(listeners.map((listener) => listener({ preventDefault() {}, target: this, ...event })));
  }

  setAttribute(name, value) {
    this.attributes[name] = value;
  }

  getAttribute(name) {
    return this.attributes[name] ?? null;
  }

  removeAttribute(name) {
    delete this.attributes[name];
  }

  append(...children) {
    this.children.push(...children);
  }

  replaceChildren(...children) {
    this.children = children;
  }

  /** All elements below, the nearest first. */
  below() {
    return this.children.flatMap((child) => (child instanceof FakeElement ? [child, ...child.below()] : []));
  }

  querySelectorAll(selector) {
    const role = /^\[role="(\w+)"\]$/.exec(selector)?.[1];
    return this.below().filter((each) => (role ? each.attributes.role === role : each.tag === selector));
  }

  querySelector(selector) {
    const part = /^\[data-part="([\w-]+)"\]$/.exec(selector)?.[1];
    return part ? globalThis.document.part(part) : (this.querySelectorAll(selector)[0] ?? null);
  }

  focus() {
    globalThis.document.activeElement = this;
  }

  reset() {
    for (const name of ["text", "password"]) globalThis.document.part(name).value = "";
  }

  remove() {
    this.isRemoved = true;
  }

  contains() {
    return false;
  }

  closest() {
    return this;
  }

  setSelectionRange() {}

  scrollIntoView() {}
}

/** Set the global `document`, and a clipboard that a page can read by `execCommand("paste")`. */
export function installDocument() {
  const parts = new Map();
  const clipboard = { text: "" };
  const document = new FakeElement("html");
  Object.assign(document, {
    visibilityState: "visible",
    body: new FakeElement("body"),
    createElement: (tag) => new FakeElement(tag),
    getElementById: (id) => document.part(id),
    execCommand() {
      document.activeElement.value = clipboard.text.replace(/\r\n?/g, "\n");
      return true;
    },
    part(name) {
      if (!parts.has(name)) parts.set(name, Object.assign(new FakeElement(), { dataset: { part: name } }));
      return parts.get(name);
    },
  });
  const navigator = { clipboard: { writeText: async (text) => void (clipboard.text = text) } };
  Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true });
  Object.assign(globalThis, { document, requestAnimationFrame: (callback) => callback(), location: { search: "", reload() {} } });
  // A countdown must not keep the process of a test alive.
  globalThis.window = { setInterval: (callback, pause) => setInterval(callback, pause).unref() };
  return { document, clipboard };
}

/** An `i18n` whose messages are their keys. */
export const fakeI18n = {
  translator: { number: String, count: (key, amount) => `${amount} ${key}`, duration: String, dateTime: String, t: (key) => key },
  setText: (element, key) => void (element.textContent = key),
  setLabel: (element, key) => void (element.label = key),
  clearText: (element) => void (element.textContent = ""),
};

/** `localStorage` with these values; its keys are its own properties, as in a browser. */
export function makeLocalStorage(values) {
  const storage = { ...values };
  const methods = {
    getItem: (key) => storage[key] ?? null,
    removeItem: (key) => void delete storage[key],
    clear: () => Object.keys(storage).forEach((key) => void delete storage[key]),
  };
  for (const [name, value] of Object.entries(methods)) Object.defineProperty(storage, name, { value });
  return storage;
}
