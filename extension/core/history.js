/** Which codes were saved and loaded here, and until when they hold. Never texts, never passwords. */

/** @typedef {import("./storage.js").StorageArea} StorageArea */
/**
 * `at` and `expiresAt` in ms; null where extension 1.x, which noted codes only, left it.
 * `once` and `isSealed` are of what was saved here.
 * @typedef {{code: string, action: "saved" | "loaded", at: number | null, expiresAt: number | null, once?: boolean, isSealed?: boolean}} Entry
 */

const KEY = "history";
const MAX_ENTRIES = 100;
// Until the service has said how long a code rests, in seconds.
const DEFAULT_COOL_DOWN = 86_400;

/**
 * @param {StorageArea} area
 * @param {() => number} [now] ms
 */
export function makeHistory(area, now = Date.now) {
  // As long as the service does not give a code to another text.
  let coolDown = DEFAULT_COOL_DOWN * 1000;

  /** @returns {Promise<Entry[]>} the newest first */
  async function list() {
    const { [KEY]: stored = [] } = await area.get(KEY);
    const entries = stored.map(withAction);
    return entries.filter((/** @type {Entry} */ each) => each.expiresAt === null || each.expiresAt + coolDown > now());
  }

  /** @param {Entry[]} entries */
  const store = (entries) => area.set({ [KEY]: entries.slice(0, MAX_ENTRIES) });

  return {
    list,

    /** @param {number} [seconds] the cool-down of a code, as `/limits` gives it */
    setCoolDown(seconds = DEFAULT_COOL_DOWN) {
      coolDown = seconds * 1000;
    },

    /**
     * @param {"saved" | "loaded"} action
     * @param {string} code
     * @param {number} secondsLeft
     * @param {{once?: boolean, isSealed?: boolean}} [about] what was saved
     */
    async add(action, code, secondsLeft, about = {}) {
      const entry = { code, action, at: now(), expiresAt: now() + secondsLeft * 1000, ...about };
      await store([entry, ...(await list()).filter((each) => each.code !== code || each.action !== action)]);
    },

    /** The text under a code is gone before its time, or lives longer. @param {string} code @param {number} [expiresAt] */
    async setEnd(code, expiresAt = now()) {
      const entries = await list();
      if (!entries.some((each) => each.code === code)) return;
      await store(entries.map((each) => (each.code === code ? { ...each, expiresAt } : each)));
    },

    /** Add what an older extension has noted. @param {Entry[]} entries */
    async addLegacy(entries) {
      await store([...(await list()), ...entries]);
    },

    /** @param {Entry} entry */
    async remove({ code, action }) {
      await store((await list()).filter((each) => each.code !== code || each.action !== action));
    },

    async removeAll() {
      await area.remove(KEY);
    },
  };
}

/** Version 2.0.0 stored `deed`. @param {Entry & {deed?: Entry["action"]}} entry @returns {Entry} */
function withAction({ deed, ...entry }) {
  return deed === undefined ? entry : { ...entry, action: deed };
}
