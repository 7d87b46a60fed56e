/** What is said to a user, in their language. No DOM. */

import { spell } from "../core/codes.js";

/** The languages that there is a catalogue of. */
export const LANGUAGES = ["en", "de", "es", "fr", "ja", "ko", "pt-BR", "ru", "vi", "zh-Hans", "zh-Hant"];

const KIB = 1024;
const MIB = KIB * KIB;
const UNITS = [
  { unit: "day", seconds: 86_400 },
  { unit: "hour", seconds: 3_600 },
  { unit: "minute", seconds: 60 },
  { unit: "second", seconds: 1 },
];
// "24 hours" is said, "1 day" is not.
const DAYS_FROM = 2 * 86_400;

/** @typedef {ReturnType<typeof makeTranslator>} Translator */

/**
 * @param {Record<string, Record<string, string>>} translations by language
 * @param {string} language
 */
export function makeTranslator(translations, language) {
  let current = language;

  /** @param {string} key @param {Record<string, string>} [values] */
  function t(key, values = {}) {
    const message = translations[current][key];
    if (message === undefined) throw new Error(`no message ${key}`);
    return message.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  }

  return {
    t,

    get language() {
      return current;
    },

    /** Speak another language. @param {string} next */
    setLanguage(next) {
      current = next;
    },

    /** @param {number} amount */
    number(amount) {
      return new Intl.NumberFormat(current).format(amount);
    },

    /** The message for one, a few or many, as the language has it. @param {string} key @param {number} amount */
    count(key, amount) {
      const form = `${key}_${new Intl.PluralRules(current).select(amount)}`;
      return t(form in translations[current] ? form : `${key}_other`, { count: this.number(amount) });
    },

    /** A code, letter by letter, for those who write it down. @param {string} letters */
    spelling(letters) {
      return spell(letters)
        .map(({ letter, big }) => t(big ? "big_letter" : "small_letter", { letter }))
        .join(", ");
    },

    /** @param {number} bytes */
    size(bytes) {
      const [unit, amount] = bytes < MIB ? ["kilobyte", Math.ceil(bytes / KIB)] : ["megabyte", bytes / MIB];
      return new Intl.NumberFormat(current, { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: 1 }).format(amount);
    },

    /** When something was; with the day if that was not today. @param {number} time in ms */
    dateTime(time) {
      /** @type {Intl.DateTimeFormatOptions} */
      const day = new Date(time).toDateString() === new Date().toDateString() ? {} : { month: "short", day: "numeric" };
      /** @type {Intl.DateTimeFormatOptions} */
      const clock = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
      return new Intl.DateTimeFormat(current, { ...day, ...clock }).format(time);
    },

    /** @param {number} seconds @param {"long" | "short"} [unitDisplay] */
    duration(seconds, unitDisplay = "long") {
      return splitDuration(seconds)
        .map(({ unit, amount }) =>
          new Intl.NumberFormat(current, { style: "unit", unit, unitDisplay }).format(amount),
        )
        .join(" ");
    },
  };
}

/** The two largest units that a time has, such as minutes and seconds. @param {number} seconds */
function splitDuration(seconds) {
  const units = seconds < DAYS_FROM ? UNITS.slice(1) : UNITS;
  const first = Math.max(0, units.findIndex((each) => each.seconds <= seconds));
  let remaining = seconds;
  const found = units.slice(first, first + 2).map(({ unit, seconds: size }) => {
    const amount = Math.floor(remaining / size);
    remaining -= amount * size;
    return { unit, amount };
  });
  const nonZero = found.filter(({ amount }) => amount > 0);
  return nonZero.length > 0 ? nonZero : [{ unit: "second", amount: 0 }];
}
