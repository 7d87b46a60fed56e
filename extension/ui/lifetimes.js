/** The lifetimes to choose from, as radio buttons; the long ones need a password. */

import { lifetimes } from "../core/limits.js";

/** @typedef {import("../core/limits.js").Limits} Limits */
/** @typedef {import("./translator.js").Translator} Translator */

/**
 * @param {HTMLElement} list
 * @param {HTMLElement} hint that says which ones need a password
 * @param {Translator} translator
 * @param {number} [preferred] in seconds, where the service allows it
 */
export function makeLifetimes(list, hint, translator, preferred) {
  let longestOpen = 0;
  const radios = () => /** @type {HTMLInputElement[]} */ ([...list.querySelectorAll("input")]);
  const chosen = () => radios().find((radio) => radio.checked);

  return {
    /** @returns {number} seconds */
    get seconds() {
      return Number(chosen()?.value);
    },

    /** Offer what the service allows; what a person has chosen already stays. @param {Limits} limits */
    offer(limits) {
      const before = chosen();
      const offered = lifetimes(limits);
      const isAllowed = preferred && offered.includes(preferred) && preferred <= limits.expires_in.max;
      const usual = isAllowed ? preferred : limits.expires_in.default;
      const kept = before && !before.defaultChecked && offered.includes(Number(before.value));
      const wanted = kept ? Number(before.value) : usual;
      longestOpen = Math.max(usual, limits.expires_in.max);
      list.replaceChildren(...offered.map((seconds) => option(seconds, seconds === usual, translator)));
      for (const radio of radios()) radio.checked = Number(radio.value) === wanted;
    },

    /** What the person has chosen, where it is not the usual. */
    get chosen() {
      const radio = chosen();
      return radio && !radio.defaultChecked ? Number(radio.value) : null;
    },

    /** @param {number | null} seconds */
    choose(seconds) {
      const radio = radios().find((each) => Number(each.value) === seconds);
      if (radio) radio.checked = true;
    },

    /** Allow the long ones, or not. @param {boolean} isLocked whether there is a password */
    allow(isLocked) {
      const long = radios().filter((radio) => Number(radio.value) > longestOpen);
      for (const radio of long) radio.disabled = !isLocked;
      hint.hidden = isLocked || long.length === 0;
      if (!chosen()?.disabled) return;
      // The nearest to what was chosen.
      const left = radios().filter((radio) => !radio.disabled);
      left[left.length - 1].checked = true;
    },
  };
}

/** @param {number} seconds @param {boolean} isDefault @param {Translator} translator */
function option(seconds, isDefault, translator) {
  const label = document.createElement("label");
  const radio = document.createElement("input");
  const name = document.createElement("span");
  Object.assign(radio, { type: "radio", name: "expires_in", value: seconds, defaultChecked: isDefault });
  translator.setText(name, "lifetime", (i18n) => ({ time: i18n.duration(seconds, "short") }));
  label.append(radio, name);
  return label;
}
