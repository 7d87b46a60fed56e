/** How a text is kept: how long, once, with a password. Closed, one line says it. */

import { canSeal } from "../core/seal.js";
import { byPart } from "./dom.js";
import { makeLifetimes } from "./lifetimes.js";
import { makePasswordField } from "./password.js";

/** @typedef {import("./translator.js").Translator} Translator */

// A smaller chance is not given as a number.
const MIN_CHANCE = 1e-6;

/**
 * @param {object} options
 * @param {HTMLElement} options.root
 * @param {import("./i18n.js").I18n} options.i18n
 * @param {() => Promise<string[]>} options.wordList
 * @param {number} [options.lifetime] the usual one, in seconds
 * @param {() => void} options.onPasswordChange
 */
export function makeOptions({ root, i18n, wordList, lifetime, onPasswordChange }) {
  const panel = byPart(root, "options");
  const toggle = byPart(root, "options-toggle");
  const summary = byPart(root, "options-summary");
  const guessChance = byPart(root, "guess-chance");
  /** @type {HTMLInputElement} */
  const once = byPart(root, "once");
  const lifetimes = makeLifetimes(byPart(root, "lifetimes"), byPart(root, "long-hint"), i18n, lifetime);
  const password = makePasswordField({ root, i18n, wordList, onChange: onPasswordChange });

  /** @param {boolean} isOpen */
  function setOpen(isOpen) {
    panel.hidden = !isOpen;
    toggle.setAttribute("aria-expanded", String(isOpen));
  }

  /** @param {Translator} translator */
  function protectionOf(translator) {
    const hasPassword = password.field.value !== "";
    return [
      ...(once.checked ? [translator.t("options_once")] : []),
      translator.t(hasPassword ? "options_password" : "options_no_password"),
    ].join(" · ");
  }

  function updateSummary() {
    i18n.setText(summary, "options_summary", (translator) => ({
      time: translator.duration(lifetimes.seconds),
      protection: protectionOf(translator),
    }));
  }

  /** @param {import("../core/limits.js").Limits} limits */
  function applyLimits(limits) {
    lifetimes.applyLimits(limits);
    showGuessChance(limits.guess_chance_today);
  }

  /** Older services do not send the chance. @param {unknown} chance */
  function showGuessChance(chance) {
    guessChance.hidden = typeof chance !== "number";
    if (typeof chance !== "number") return;
    const key = chance < MIN_CHANCE ? "guess_chance_small" : "guess_chance";
    // One in how many, with two digits.
    i18n.setText(guessChance, key, (translator) => ({ count: translator.number(Number((1 / chance).toPrecision(2))) }));
  }

  // The user is told the truth about who encrypts, next to the field, before a password is typed.
  if (!canSeal()) i18n.setText(byPart(root, "password-hint"), "password_hint_unsafe");
  toggle.addEventListener("click", () => setOpen(panel.hidden));
  panel.addEventListener("input", updateSummary);
  return {
    once,
    lifetimes,
    password,
    applyLimits,
    updateSummary,
    open: () => setOpen(true),
    close: () => setOpen(false),
  };
}
