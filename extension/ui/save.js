/** The Save panel: a text in, a code out. */

import { TooLarge } from "../core/errors.js";
import { USUAL_LIMITS, bytesOf, charactersOf, lifetimes } from "../core/limits.js";
import { makeAlert } from "./alert.js";
import { turn } from "./direction.js";
import { makeToggle, onSubmit, part } from "./dom.js";
import { makeSaved } from "./saved.js";

/** @typedef {import("../core/limits.js").Limits} Limits */

const KIB = 1024;

/**
 * @param {object} wiring
 * @param {HTMLElement} wiring.root
 * @param {ReturnType<typeof import("../core/api.js").makeApi>} wiring.api
 * @param {import("./labels.js").Labels} wiring.labels
 * @param {(code: string) => string} wiring.linkOf
 */
export function makeSavePanel({ root, api, labels, linkOf }) {
  /** @type {HTMLFormElement} */
  const form = part(root, "save-form");
  /** @type {HTMLTextAreaElement} */
  const field = part(root, "text");
  /** @type {HTMLInputElement} */
  const password = part(root, "password");
  const counter = part(root, "counter");
  const alert = makeAlert(part(root, "save-alert"), labels);
  const toggle = makeToggle(password, part(root, "show-password"), labels);
  const saved = makeSaved({ root: part(root, "saved"), api, labels, linkOf, again });
  let limits = USUAL_LIMITS;

  /** @param {number} bytes */
  const kilobytes = (bytes) => labels.words.number(Math.ceil(bytes / KIB));
  const most = () => ({ most: kilobytes(limits.max_text_bytes) });
  const isTooLarge = () => bytesOf(field.value) > limits.max_text_bytes;

  function look() {
    turn(field);
    count();
  }

  function count() {
    const bytes = bytesOf(field.value);
    const characters = charactersOf(field.value);
    counter.classList.toggle("over", bytes > limits.max_text_bytes);
    labels.put(counter, "counter", (words) => ({
      characters: words.count("characters", characters),
      size: kilobytes(bytes),
      ...most(),
    }));
  }

  /** @param {Limits} told */
  function obey(told) {
    limits = told;
    offer(part(root, "lifetimes"), told, labels);
    look();
  }

  async function save() {
    alert.clear();
    if (!field.value) return alert.say("empty_text", undefined, field);
    if (isTooLarge()) return alert.say("too_large", most, field);
    // What is typed while the text is on its way would be cleared with it.
    field.readOnly = true;
    try {
      const wanted = { text: field.value, expiresIn: lifetimeIn(form), password: password.value };
      show(await api.write(wanted));
    } catch (error) {
      tell(error);
    } finally {
      field.readOnly = false;
    }
  }

  /** @param {import("../core/api.js").Written} written */
  function show(written) {
    form.reset();
    toggle.hide();
    look();
    form.hidden = true;
    saved.show(written);
  }

  /** @param {any} error */
  function tell(error) {
    if (error instanceof TooLarge) return alert.say("too_large", most, field);
    return alert.tell(error, { text: field, password }[error.field]);
  }

  function again() {
    form.hidden = false;
    field.focus();
  }

  field.addEventListener("input", look);
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  onSubmit(form, part(root, "save"), save);
  obey(USUAL_LIMITS);
  return { obey, focus: () => field.focus() };
}

/** @param {HTMLFormElement} form @returns {number} seconds */
const lifetimeIn = (form) => Number(new FormData(form).get("expires_in"));

/**
 * Offer the lifetimes as radio buttons; what a person has chosen already stays.
 * @param {HTMLElement} list
 * @param {Limits} limits
 * @param {import("./labels.js").Labels} labels
 */
function offer(list, limits, labels) {
  const chosen = Number(list.querySelector("input:checked:not([checked])")?.getAttribute("value"));
  const offered = lifetimes(limits);
  const checked = offered.includes(chosen) ? chosen : limits.expires_in.default;
  const options = offered.map((seconds) => option(seconds, seconds === limits.expires_in.default, labels));
  list.replaceChildren(...options);
  list.querySelector(`[value="${checked}"]`).checked = true;
}

/** @param {number} seconds @param {boolean} isDefault @param {import("./labels.js").Labels} labels */
function option(seconds, isDefault, labels) {
  const label = document.createElement("label");
  const radio = document.createElement("input");
  const name = document.createElement("span");
  Object.assign(radio, { type: "radio", name: "expires_in", value: seconds, defaultChecked: isDefault });
  labels.put(name, "lifetime", (words) => ({ time: words.duration(seconds, "short") }));
  label.append(radio, name);
  return label;
}
