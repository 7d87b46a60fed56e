/** A small `document`: every `data-part` of the real markup exists, as the tag that it is. It knows nothing of layout. */

import { readFileSync } from "node:fs";

const FILES = ["ui/save.html", "ui/load.html", "ui/live.html", "popup.html", "options.html", "../saver/web/page.html"];
const MARKUP = FILES.map((path) => readFileSync(new URL(`../../../extension/${path}`, import.meta.url), "utf8")).join("");
/** The fields that a form empties. */
const FIELDS = { "save-form": ["text", "password"], "load-form": ["code-field", "load-password"] };

export class FakeElement {
  constructor(tag = "div") {
    this.classes = new Set();
    const toggle = (name, isOn) => void (isOn ? this.classes.add(name) : this.classes.delete(name));
    const classList = {
      toggle,
      add: (name) => toggle(name, true),
      remove: (name) => toggle(name, false),
      contains: (name) => this.classes.has(name),
    };
    Object.assign(this, { tag, dataset: {}, attributes: {}, listeners: {}, children: [], value: "", textContent: "", hidden: false });
    Object.assign(this, { disabled: false, checked: false, selectionStart: 0, selectionEnd: 0, classList, parent: null });
  }

  addEventListener(name, listener) {
    (this.listeners[name] ??= []).push(listener);
  }

  /** Call the listeners of an event, and wait for them. */
  async emit(name, event = {}) {
    const listeners = this.listeners[name] ?? [];
    await Promise.all(listeners.map((listener) => listener({ preventDefault() {}, target: this, ...event })));
  }

  dispatchEvent(event) {
    this.emit(event.type, event);
  }

  click() {
    this.emit("click");
  }

  requestSubmit() {
    this.emit("submit");
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
    for (const child of children) if (child instanceof FakeElement) child.parent = this;
  }

  replaceChildren(...children) {
    this.children = [];
    this.append(...children);
  }

  /** All elements below, the nearest first. */
  below() {
    return this.children.flatMap((child) => (child instanceof FakeElement ? [child, ...child.below()] : []));
  }

  /** All elements above. */
  above() {
    return this.parent ? [this.parent, ...this.parent.above()] : [];
  }

  matches(selector) {
    return selector.split(",").some((each) => {
      const [own, ...ancestors] = each.trim().split(/\s+/).reverse();
      return isOfKind(this, own) && ancestors.every((kind) => this.above().some((element) => isOfKind(element, kind)));
    });
  }

  querySelectorAll(selector) {
    return this.below().filter((each) => each.matches(selector));
  }

  querySelector(selector) {
    const part = /^\[data-part="([\w-]+)"\]$/.exec(selector)?.[1];
    return part ? globalThis.document.part(part) : (this.querySelectorAll(selector)[0] ?? null);
  }

  focus() {
    globalThis.document.activeElement = this;
  }

  select() {
    Object.assign(this, { selectionStart: 0, selectionEnd: this.value.length });
  }

  reset() {
    const { part } = globalThis.document;
    for (const name of FIELDS[this.dataset.part] ?? []) part(name).value = "";
    if (this.dataset.part === "save-form") part("once").checked = false;
  }

  remove() {
    this.isRemoved = true;
  }

  contains(element) {
    return element === this || this.below().includes(element);
  }

  closest() {
    return this;
  }

  /** Put a text in the place of a range; the cursor is behind it then. */
  setRangeText(text, start, end) {
    this.value = this.value.slice(0, start) + text + this.value.slice(end);
    this.selectionStart = this.selectionEnd = start + text.length;
  }

  setSelectionRange() {}

  scrollIntoView() {}
}

/** Whether an element has the tag, the classes and the attributes of a selector without spaces. */
function isOfKind(element, selector) {
  const [tag = "*"] = /^[\w*]+/.exec(selector) ?? [];
  const classes = [...selector.matchAll(/\.([\w-]+)/g)].map(([, name]) => name);
  const attributes = [...selector.matchAll(/\[([\w-]+)(?:="([^"]*)")?\]/g)];
  return (
    (tag === "*" || tag === element.tag) &&
    classes.every((name) => element.classes.has(name)) &&
    attributes.every(([, name, value]) => (value === undefined ? name in element.attributes : element.attributes[name] === value)) &&
    !(selector.endsWith(":not(:disabled)") && element.disabled)
  );
}

/** The element that the markup has under a name; null where it has none. */
function makePart(name) {
  const [, tag, before, after] = new RegExp(`<(\\w+)([^<>]*)\\bdata-part="${name}"([^<>]*)>`).exec(MARKUP) ?? [];
  if (!tag) return null;
  const attributes = before + after;
  const [, type] = /\btype="(\w+)"/.exec(attributes) ?? [];
  const [, i18n] = /\bdata-i18n="(\w+)"/.exec(attributes) ?? [];
  const dataset = { part: name, ...(i18n && { i18n }) };
  return Object.assign(new FakeElement(tag), { dataset, type, hidden: /\shidden\b/.test(attributes) });
}

/** A class of elements, as `instanceof` asks for it. */
const kindOfTag = (tag) => ({ [Symbol.hasInstance]: (element) => element?.tag === tag });

class FakeInputEvent {
  constructor(type, init) {
    Object.assign(this, { type }, init);
  }
}

/** Timers of the global clock, which a test may mock; none keeps the process of a test alive. */
function makeWindow() {
  const unref = (timer) => (timer?.unref?.(), timer);
  return Object.assign(new FakeElement("window"), {
    setInterval: (...given) => unref(setInterval(...given)),
    setTimeout: (...given) => unref(setTimeout(...given)),
    close() {},
  });
}

/** Set the global `document`, and a clipboard that a page can read by `execCommand("paste")`. */
export function installDocument() {
  const parts = new Map();
  const clipboard = { text: "" };
  const document = new FakeElement("html");
  const body = new FakeElement("body");
  Object.assign(document, {
    visibilityState: "visible",
    body,
    activeElement: body,
    documentElement: new FakeElement("html"),
    createElement: (tag) => new FakeElement(tag),
    getElementById: (id) => document.part(id),
    getSelection: () => null,
    execCommand() {
      document.activeElement.value = clipboard.text.replace(/\r\n?/g, "\n");
      return true;
    },
    part(name) {
      if (!parts.has(name)) parts.set(name, makePart(name));
      return parts.get(name);
    },
  });
  const navigator = { clipboard: { writeText: async (text) => void (clipboard.text = text) } };
  Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true });
  Object.assign(globalThis, { document, requestAnimationFrame: (callback) => callback(), location: { search: "", reload() {} } });
  Object.assign(globalThis, { window: makeWindow(), matchMedia: () => ({ matches: false }), InputEvent: FakeInputEvent });
  Object.assign(globalThis, { Element: FakeElement, HTMLTextAreaElement: kindOfTag("textarea"), HTMLInputElement: kindOfTag("input") });
  document.part("code-field").form = document.part("load-form");
  return { document, clipboard };
}

const translator = {
  number: String,
  count: (key, amount) => `${amount} ${key}`,
  duration: String,
  dateTime: String,
  size: String,
  spelling: (letters) => [...letters].join(" "),
  t: (key, values) => [key, ...Object.values(values ?? {})].join(" "),
};

/** An `i18n` whose messages are their keys; an element has the values of its own. */
export const fakeI18n = {
  translator,
  setText: (element, key, values) => void Object.assign(element, { textContent: key, values: values?.(translator) }),
  setLabel: (element, key) => void (element.label = key),
  clearText: (element) => void Object.assign(element, { textContent: "", values: undefined }),
};

/** Let what is under way go on until it waits for a timer. */
export async function settled() {
  for (let count = 0; count < 20; count += 1) await new Promise(setImmediate);
}

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
