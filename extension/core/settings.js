/** The user's settings, and which addresses of a service are accepted. */

/** @typedef {import("./storage.js").StorageArea} StorageArea */
/**
 * @typedef {object} Settings
 * @property {string} server the address of the service, ending with a slash; "" where none was chosen
 * @property {number} lifetime of a text, in seconds, where no other is chosen
 * @property {boolean} history whether codes are noted
 * @property {string} language "" for the browser's
 * @property {boolean} notify whether the user is told when a saved text is opened
 * @property {boolean} sharedComputer whether others use this computer too: nothing is stored
 */

const KEY = "settings";
// The content security policy of the extension names the same.
const LOOPBACK_HOSTS = new Set(["localhost", "127.0.0.1"]);
const HAS_SCHEME = /^[a-z][a-z0-9+.-]*:\/\//i;

/** @type {Settings} */
export const DEFAULT_SETTINGS = { server: "", lifetime: 600, history: true, language: "", notify: false, sharedComputer: false };

/**
 * Read the address of a service as a user types it: https may be left out.
 * @param {string} given
 * @returns {string | null} the address, or null where it is none, or would send texts in clear over a network
 */
export function parseServer(given) {
  const shown = given.trim();
  const url = parsed(HAS_SCHEME.test(shown) ? shown : `https://${shown}`);
  if (!url || url.username || url.password || !url.hostname) return null;
  const isSafe = url.protocol === "https:" || (url.protocol === "http:" && LOOPBACK_HOSTS.has(url.hostname));
  if (!isSafe) return null;
  return `${url.origin}${url.pathname.replace(/\/*$/, "/")}`;
}

/**
 * @param {StorageArea} area that outlives the browser
 * @param {Partial<Settings>} [buildConfig] of this package
 */
export function makeSettings(area, buildConfig = {}) {
  /** Version 2.0.0 stored `borrowed`. @returns {Promise<Partial<Settings>>} */
  async function read() {
    const { [KEY]: { borrowed = undefined, ...stored } = {} } = await area.get(KEY);
    return { ...(borrowed !== undefined && { sharedComputer: borrowed }), ...stored };
  }

  return {
    /** @returns {Promise<Settings>} */
    async get() {
      return { ...DEFAULT_SETTINGS, ...buildConfig, ...(await read()) };
    },

    /** @param {Partial<Settings>} changed */
    async change(changed) {
      await area.set({ [KEY]: { ...(await read()), ...changed } });
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
