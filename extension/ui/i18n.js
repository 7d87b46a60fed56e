/** What is said to a person, in their language. No DOM. */

/** The languages that there is a catalogue of. */
export const LANGUAGES = ["en", "ko"];

const UNITS = [
  { unit: "day", seconds: 86_400 },
  { unit: "hour", seconds: 3_600 },
  { unit: "minute", seconds: 60 },
  { unit: "second", seconds: 1 },
];
// "24 hours" is said, "1 day" is not.
const DAYS_FROM = 2 * 86_400;

/** @typedef {ReturnType<typeof makeI18n>} I18n */

/**
 * @param {Record<string, Record<string, string>>} catalogues by language
 * @param {string} language
 */
export function makeI18n(catalogues, language) {
  let spoken = language;

  /** @param {string} key @param {Record<string, string>} [values] */
  function t(key, values = {}) {
    const message = catalogues[spoken][key];
    if (message === undefined) throw new Error(`no message ${key}`);
    return message.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  }

  return {
    t,

    get language() {
      return spoken;
    },

    /** Speak another language. @param {string} next */
    use(next) {
      spoken = next;
    },

    /** @param {number} amount */
    number(amount) {
      return new Intl.NumberFormat(spoken).format(amount);
    },

    /** The message for one or for many. @param {string} key @param {number} amount */
    count(key, amount) {
      const form = new Intl.PluralRules(spoken).select(amount) === "one" ? "one" : "other";
      return t(`${key}_${form}`, { count: this.number(amount) });
    },

    /** When something was; with the day if that was not today. @param {number} time in ms */
    moment(time) {
      /** @type {Intl.DateTimeFormatOptions} */
      const day = new Date(time).toDateString() === new Date().toDateString() ? {} : { month: "short", day: "numeric" };
      /** @type {Intl.DateTimeFormatOptions} */
      const clock = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
      return new Intl.DateTimeFormat(spoken, { ...day, ...clock }).format(time);
    },

    /** @param {number} seconds @param {"long" | "short"} [unitDisplay] */
    duration(seconds, unitDisplay = "long") {
      return parts(seconds)
        .map(({ unit, amount }) =>
          new Intl.NumberFormat(spoken, { style: "unit", unit, unitDisplay }).format(amount),
        )
        .join(" ");
    },
  };
}

/** The two largest units that a time has, such as minutes and seconds. @param {number} seconds */
function parts(seconds) {
  const units = seconds < DAYS_FROM ? UNITS.slice(1) : UNITS;
  const first = Math.max(0, units.findIndex((each) => each.seconds <= seconds));
  let rest = seconds;
  const found = units.slice(first, first + 2).map(({ unit, seconds: size }) => {
    const amount = Math.floor(rest / size);
    rest -= amount * size;
    return { unit, amount };
  });
  const told = found.filter(({ amount }) => amount > 0);
  return told.length > 0 ? told : [{ unit: "second", amount: 0 }];
}
