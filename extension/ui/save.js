/** The Save panel: a text in, a code out. */

import { TooLarge } from "../core/errors.js";
import { USUAL_LIMITS, bytesOf, charactersOf } from "../core/limits.js";
import { canSeal } from "../core/seal.js";
import { makeAlert } from "./alert.js";
import { setDirection } from "./direction.js";
import { onSubmit, byPart } from "./dom.js";
import { makeLifetimes } from "./lifetimes.js";
import { makePassword } from "./password.js";
import { makeSaved } from "./saved.js";

/** @typedef {import("../core/limits.js").Limits} Limits */
/** @typedef {import("../core/api.js").Written} Written */
/** @typedef {import("../core/session.js").Drafted} Drafted */
/** @typedef {ReturnType<typeof import("../core/saving.js").makeSaver>} Saver */
/** @typedef {Written & {isSealed: boolean, once: boolean, phrase: string}} Shown */

const KIB = 1024;

/**
 * @param {object} options
 * @param {HTMLElement} options.root
 * @param {Saver} options.saver
 * @param {ReturnType<typeof import("../core/api.js").makeApi>} options.api
 * @param {import("./translator.js").Translator} options.translator
 * @param {(code: string, isSealed: boolean) => string} options.linkOf
 * @param {(text: string) => Promise<boolean>} options.copy
 * @param {() => Promise<string[]>} options.wordList
 * @param {number} [options.lifetime] the usual one, in seconds
 * @param {(draft: Drafted) => void} [options.drafted] told with every change
 * @param {(shown: Shown | null) => Promise<void>} [options.showing] told whose code is shown now, to keep it
 * @param {(code: string) => void} [options.ended] told when a code opens nothing any more
 */
export function makeSavePanel(options) {
  const { root, saver, api, translator, linkOf, copy, wordList, lifetime } = options;
  const { drafted = () => {}, showing = async () => {}, ended = () => {} } = options;
  /** @type {HTMLFormElement} */
  const form = byPart(root, "save-form");
  /** @type {HTMLTextAreaElement} */
  const field = byPart(root, "text");
  /** @type {HTMLInputElement} */
  const once = byPart(root, "once");
  const counter = byPart(root, "counter");
  const button = byPart(root, "save");
  const openButton = byPart(root, "save-open");
  const alert = makeAlert(byPart(root, "save-alert"), translator);
  const lifetimes = makeLifetimes(byPart(root, "lifetimes"), byPart(root, "long-hint"), translator, lifetime);
  const password = makePassword({ root, translator, wordList, changed: choose });
  /** @type {Record<string, HTMLElement>} what a refusal may name */
  const fields = { text: field, password: password.field };
  const saved = makeSaved({ root: byPart(root, "saved"), api, translator, linkOf, copy, again, ended });
  let limits = USUAL_LIMITS;
  // A draft that came back without the password it was to be locked with.
  let wasLocked = false;

  /** @param {number} bytes */
  const kilobytes = (bytes) => translator.i18n.number(Math.ceil(bytes / KIB));
  const most = () => ({ most: kilobytes(limits.max_text_bytes) });
  const isTooLarge = () => bytesOf(field.value) > limits.max_text_bytes;

  const allowLong = () => lifetimes.allow(password.field.value !== "" || wasLocked);

  /** @param {boolean} isLocked */
  function relock(isLocked) {
    wasLocked = isLocked;
    openButton.hidden = true;
    allowLong();
  }

  /** A password was typed, made or removed. */
  function choose() {
    relock(false);
    drafted(draft());
  }

  function look() {
    setDirection(field);
    count();
  }

  function count() {
    const bytes = bytesOf(field.value);
    const characters = charactersOf(field.value);
    counter.classList.toggle("over", bytes > limits.max_text_bytes);
    translator.setText(counter, "counter", (i18n) => ({
      characters: i18n.count("characters", characters),
      size: kilobytes(bytes),
      ...most(),
    }));
  }

  /** @param {Limits} told */
  function applyLimits(told) {
    limits = told;
    lifetimes.offer(told);
    allowLong();
    look();
  }

  async function save() {
    alert.clear();
    if (!field.value) return alert.say("empty_text", undefined, field);
    if (isTooLarge()) return alert.say("too_large", most, field);
    if (wasLocked) return askForPassword();
    translator.setText(button, password.field.value && canSeal() ? "sealing" : "saving");
    drafted({ ...draft(), sent: true });
    await send(saver, () => saver.save(wanted()), true);
  }

  /** To save it open takes a button of its own: a second Enter must not. */
  function askForPassword() {
    openButton.hidden = false;
    alert.say("password_again", undefined, password.field);
  }

  /**
   * @param {Saver} courier
   * @param {() => Promise<(Written & {isSealed: boolean, once: boolean}) | null>} action
   * @param {boolean} isForm whether it is what the form holds
   */
  async function send(courier, action, isForm) {
    // What is typed while the text is on its way would be cleared with it.
    hold(true);
    try {
      const written = await action();
      if (written) await show(written, isForm);
      await courier.settle();
    } catch (error) {
      tell(error);
    } finally {
      hold(false);
      translator.setText(button, "save");
    }
  }

  /** @param {boolean} isHeld */
  function hold(isHeld) {
    field.readOnly = isHeld;
    password.hold(isHeld);
  }

  const wanted = () => ({
    text: field.value,
    password: password.field.value,
    expiresIn: lifetimes.seconds,
    once: once.checked,
  });

  const draft = () => ({
    text: field.value,
    expiresIn: lifetimes.chosen,
    once: once.checked,
    locked: wasLocked || password.field.value !== "",
    sent: false,
  });

  /** @param {Written & {isSealed: boolean, once: boolean}} written @param {boolean} isForm */
  async function show(written, isForm) {
    const { phrase } = isForm ? password : { phrase: "" };
    present(written, phrase);
    if (isForm) clear();
    await showing({ ...written, phrase });
  }

  function clear() {
    form.reset();
    password.forget();
    relock(false);
    look();
    drafted(draft());
  }

  /** @param {import("./saved.js").Presented} written @param {string} [phrase] */
  function present(written, phrase = "") {
    form.hidden = true;
    saved.show(written, phrase);
  }

  /** @param {any} error */
  function tell(error) {
    if (error instanceof TooLarge) return alert.say("too_large", most, field);
    return alert.tell(error, fields[error.field]);
  }

  /** @param {boolean} isOwned */
  function again(isOwned) {
    form.hidden = false;
    if (isOwned) showing(null);
    field.focus();
  }

  /** @param {Drafted} before */
  function restore(before) {
    field.value = before.text;
    once.checked = before.once;
    relock(before.locked && before.text !== "");
    lifetimes.choose(before.expiresIn);
    look();
  }

  // The person is told the truth about who seals, next to the field, before a password is typed.
  if (!canSeal()) translator.setText(byPart(root, "password-hint"), "password_hint_unsafe");
  field.addEventListener("input", look);
  form.addEventListener("input", () => drafted(draft()));
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  openButton.addEventListener("click", () => {
    choose();
    form.requestSubmit();
  });
  const submit = onSubmit(form, button, save);
  applyLimits(USUAL_LIMITS);
  return {
    applyLimits,
    restore,
    present,
    /** Say something in the form instead of a code from before. @param {string} key */
    say(key) {
      saved.hide();
      form.hidden = false;
      alert.say(key, undefined, field);
    },
    focus: () => (form.hidden ? saved.focus() : field.focus()),
    isEmpty: () => field.value === "" && password.field.value === "",
    /**
     * Go on with a write that nobody saw the end of.
     * @param {Saver} courier
     * @param {boolean} isForm whether it is what the form holds
     */
    goOn(courier, isForm) {
      return submit(() => {
        // A code from before would be taken for this text's.
        saved.hide();
        form.hidden = false;
        translator.setText(button, "saving");
        return send(courier, courier.resume, isForm);
      });
    },
  };
}
