/** The Save panel: a text in, a code out. */

import { TooLarge } from "../core/errors.js";
import { USUAL_LIMITS, bytesOf, charactersOf } from "../core/limits.js";
import { makeSaver } from "../core/saving.js";
import { canSeal } from "../core/seal.js";
import { makeAlert } from "./alert.js";
import { turn } from "./direction.js";
import { makeToggle, onSubmit, part } from "./dom.js";
import { makeLifetimes } from "./lifetimes.js";
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
  /** @type {HTMLInputElement} */
  const once = part(root, "once");
  /** @type {Record<string, HTMLElement>} what a refusal may name */
  const fields = { text: field, password };
  const counter = part(root, "counter");
  const button = part(root, "save");
  const alert = makeAlert(part(root, "save-alert"), labels);
  const toggle = makeToggle(password, part(root, "show-password"), labels);
  const lifetimes = makeLifetimes(part(root, "lifetimes"), part(root, "long-hint"), labels);
  const saver = makeSaver(api);
  const saved = makeSaved({ root: part(root, "saved"), api, labels, linkOf, again });
  let limits = USUAL_LIMITS;

  /** @param {number} bytes */
  const kilobytes = (bytes) => labels.words.number(Math.ceil(bytes / KIB));
  const most = () => ({ most: kilobytes(limits.max_text_bytes) });
  const isTooLarge = () => bytesOf(field.value) > limits.max_text_bytes;

  const allowLong = () => lifetimes.allow(password.value !== "");

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
    lifetimes.offer(told);
    allowLong();
    look();
  }

  async function save() {
    alert.clear();
    if (!field.value) return alert.say("empty_text", undefined, field);
    if (isTooLarge()) return alert.say("too_large", most, field);
    // What is typed while the text is on its way would be cleared with it.
    field.readOnly = true;
    try {
      if (password.value && canSeal()) labels.put(button, "sealing");
      show(await saver.save(wanted()));
    } catch (error) {
      tell(error);
    } finally {
      field.readOnly = false;
      labels.put(button, "save");
    }
  }

  const wanted = () => ({
    text: field.value,
    password: password.value,
    expiresIn: lifetimes.seconds,
    once: once.checked,
  });

  /** @param {import("../core/api.js").Written} written */
  function show(written) {
    form.reset();
    toggle.hide();
    allowLong();
    look();
    form.hidden = true;
    saved.show(written);
  }

  /** @param {any} error */
  function tell(error) {
    if (error instanceof TooLarge) return alert.say("too_large", most, field);
    return alert.tell(error, fields[error.field]);
  }

  function again() {
    form.hidden = false;
    field.focus();
  }

  // The person is told the truth about who seals, next to the field, before a password is typed.
  if (!canSeal()) labels.put(part(root, "password-hint"), "password_hint_unsafe");
  field.addEventListener("input", look);
  password.addEventListener("input", allowLong);
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  onSubmit(form, button, save);
  obey(USUAL_LIMITS);
  return { obey, focus: () => field.focus() };
}
