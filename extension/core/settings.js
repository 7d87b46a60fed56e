/** What a person has set, and which addresses of a service are taken. */

/** @typedef {import("./storageItem.js").StorageArea} StorageArea */
/**
 * @typedef {object} Settings
 * @property {string} server the address of the service, ending with a slash; "" where none was chosen
 * @property {number} lifetime of a text, in seconds, where no other is chosen
 * @property {boolean} history whether codes are noted
 * @property {"" | "en" | "ko"} language "" for the browser's
 * @property {boolean} borrowed whether this is somebody else's computer: nothing is kept
 */

const KEY = "settings";
// The content security policy of the extension names the same.
const LOOPBACK = new Set(["localhost", "127.0.0.1"]);
const HAS_SCHEME = /^[a-z][a-z0-9+.-]*:\/\//i;

/** @type {Settings} */
export const USUAL_SETTINGS = { server: "", lifetime: 600, history: true, language: "", borrowed: false };

/**
 * Read the address of a service as a person types it: https may be left out.
 * @param {string} given
 * @returns {string | null} the address, or null where it is none, or would send texts in clear over a network
 */
export function readServer(given) {
  const shown = given.trim();
  const url = parsed(HAS_SCHEME.test(shown) ? shown : `https://${shown}`);
  if (!url || url.username || url.password || !url.hostname) return null;
  const isSafe = url.protocol === "https:" || (url.protocol === "http:" && LOOPBACK.has(url.hostname));
  if (!isSafe) return null;
  return `${url.origin}${url.pathname.replace(/\/*$/, "/")}`;
}

/**
 * @param {StorageArea} area that outlives the browser
 * @param {Partial<Settings>} [buildConfig] what this package was made with
 */
export function makeSettings(area, buildConfig = {}) {
  return {
    /** @returns {Promise<Settings>} */
    async get() {
      const { [KEY]: set } = await area.get(KEY);
      return { ...USUAL_SETTINGS, ...buildConfig, ...set };
    },

    /** @param {Partial<Settings>} changed */
    async change(changed) {
      const { [KEY]: set } = await area.get(KEY);
      await area.set({ [KEY]: { ...set, ...changed } });
    },
  };
}

/** @param {string} address */
function parsed(address) {
  try {
    return new URL(address);
  } catch {
    return null;
  }
}
