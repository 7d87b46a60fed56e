/** Which codes were saved and loaded here, and until when they hold. Never texts, never passwords. */

/** @typedef {import("./storageItem.js").StorageArea} StorageArea */
/**
 * `at` and `expiresAt` in ms; null where extension 1.x, which noted codes only, left it.
 * `once` and `isSealed` are of what was saved here.
 * @typedef {{code: string, deed: "saved" | "loaded", at: number | null, expiresAt: number | null, once?: boolean, isSealed?: boolean}} Entry
 */

const KEY = "history";
const MOST = 100;
// Until the service has said how long a code rests, in seconds.
const USUAL_COOL_DOWN = 86_400;

/**
 * @param {StorageArea} area
 * @param {() => number} [now] ms
 */
export function makeHistory(area, now = Date.now) {
  // As long as the service does not give a code to another text.
  let coolDown = USUAL_COOL_DOWN * 1000;

  /** @returns {Promise<Entry[]>} the newest first */
  async function list() {
    const { [KEY]: noted = [] } = await area.get(KEY);
    return noted.filter((/** @type {Entry} */ each) => each.expiresAt === null || each.expiresAt + coolDown > now());
  }

  /** @param {Entry[]} entries */
  const put = (entries) => area.set({ [KEY]: entries.slice(0, MOST) });

  return {
    list,

    /** @param {number} [seconds] the cool-down of a code, as `/limits` gives it */
    applyLimits(seconds = USUAL_COOL_DOWN) {
      coolDown = seconds * 1000;
    },

    /**
     * @param {"saved" | "loaded"} deed
     * @param {string} code
     * @param {number} secondsLeft
     * @param {{once?: boolean, isSealed?: boolean}} [about] what was saved
     */
    async note(deed, code, secondsLeft, about = {}) {
      const entry = { code, deed, at: now(), expiresAt: now() + secondsLeft * 1000, ...about };
      await put([entry, ...(await list()).filter((each) => each.code !== code || each.deed !== deed)]);
    },

    /** The text under a code is gone before its time. @param {string} code */
    async end(code) {
      const entries = await list();
      if (!entries.some((each) => each.code === code)) return;
      await put(entries.map((each) => (each.code === code ? { ...each, expiresAt: now() } : each)));
    },

    /** Add what an older extension has noted. @param {Entry[]} entries */
    async adopt(entries) {
      await put([...(await list()), ...entries]);
    },

    /** @param {Entry} entry */
    async forget({ code, deed }) {
      await put((await list()).filter((each) => each.code !== code || each.deed !== deed));
    },

    async forgetAll() {
      await area.remove(KEY);
    },
  };
}
