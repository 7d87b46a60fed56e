/** The lifetimes to choose from, as radio buttons; the long ones need a password. */

import { lifetimeChoices } from "../core/limits.js";

/** @typedef {import("../core/limits.js").Limits} Limits */
/** @typedef {import("./i18n.js").I18n} I18n */

/**
 * @param {HTMLElement} list
 * @param {HTMLElement} hint that says which ones need a password
 * @param {I18n} i18n
 * @param {number} [preferred] in seconds, where the service allows it
 */
export function makeLifetimes(list, hint, i18n, preferred) {
  let maxWithoutPassword = 0;
  const radios = () => /** @type {HTMLInputElement[]} */ ([...list.querySelectorAll("input")]);
  const chosen = () => radios().find((radio) => radio.checked);

  return {
    /** @returns {number} seconds */
    get seconds() {
      return Number(chosen()?.value);
    },

    /** Offer what the service allows; what a user has chosen already stays. @param {Limits} limits */
    applyLimits(limits) {
      const previous = chosen();
      const offered = lifetimeChoices(limits);
      const isAllowed = preferred && offered.includes(preferred) && preferred <= limits.expires_in.max;
      const defaultSeconds = isAllowed ? preferred : limits.expires_in.default;
      const kept = previous && !previous.defaultChecked && offered.includes(Number(previous.value));
      const wanted = kept ? Number(previous.value) : defaultSeconds;
      maxWithoutPassword = Math.max(defaultSeconds, limits.expires_in.max);
      list.replaceChildren(...offered.map((seconds) => option(seconds, seconds === defaultSeconds, i18n)));
      for (const radio of radios()) radio.checked = Number(radio.value) === wanted;
    },

    /** What the user has chosen, where it is not the usual. */
    get chosen() {
      const radio = chosen();
      return radio && !radio.defaultChecked ? Number(radio.value) : null;
    },

    /** @param {number | null} seconds */
    choose(seconds) {
      const radio = radios().find((each) => Number(each.value) === seconds);
      if (radio) radio.checked = true;
    },

    /** Allow the long ones, or not. @param {boolean} hasPassword whether there is a password */
    setHasPassword(hasPassword) {
      const long = radios().filter((radio) => Number(radio.value) > maxWithoutPassword);
      for (const radio of long) radio.disabled = !hasPassword;
      hint.hidden = hasPassword || long.length === 0;
      i18n.setText(hint, "long_hint", (translator) => ({ time: translator.duration(maxWithoutPassword) }));
      if (!chosen()?.disabled) return;
      // The nearest to what was chosen.
      const left = radios().filter((radio) => !radio.disabled);
      left[left.length - 1].checked = true;
    },
  };
}

/** @param {number} seconds @param {boolean} isDefault @param {I18n} i18n */
function option(seconds, isDefault, i18n) {
  const label = document.createElement("label");
  const radio = document.createElement("input");
  const name = document.createElement("span");
  Object.assign(radio, { type: "radio", name: "expires_in", value: seconds, defaultChecked: isDefault });
  i18n.setText(name, "lifetime", (translator) => ({ time: translator.duration(seconds, "short") }));
  label.append(radio, name);
  return label;
}
