/** What extension 1.x has left in `localStorage`: its notes, its history and its draft. */

/** @typedef {import("./history.js").Entry} Entry */

const CODE = /^[a-zA-Z]{4}$/;
const NOTE = /^newtab\d+$/;
const KEYS = /^(state|savehistory|loadhistory|newtab\d+)$/;

/**
 * @typedef {object} Legacy
 * @property {Entry[]} entries
 * @property {{key: string, code: string, text: string}[]} notes
 * @property {string} draft
 */

/**
 * Read it. What is no longer whole is left out.
 * @param {Storage} storage
 * @returns {Legacy | null} null where there is nothing of it
 */
export function readLegacy(storage) {
  const keys = Object.keys(storage).filter((key) => KEYS.test(key));
  if (keys.length === 0) return null;
  const draft = parsed(storage.getItem("state"))?.wrtext;
  return {
    entries: [...entriesOf(storage, "savehistory", "saved"), ...entriesOf(storage, "loadhistory", "loaded")],
    notes: keys.filter((key) => NOTE.test(key)).flatMap((key) => noteOf(key, parsed(storage.getItem(key)))),
    draft: typeof draft === "string" ? draft : "",
  };
}

/** Once it is kept elsewhere. @param {Storage} storage */
export function removeLegacy(storage) {
  for (const key of Object.keys(storage).filter((each) => KEYS.test(each))) storage.removeItem(key);
}

/** @param {Storage} storage @param {string} key @param {Entry["action"]} action @returns {Entry[]} */
function entriesOf(storage, key, action) {
  const codes = Object.values(parsed(storage.getItem(key)) ?? {}).filter((code) => CODE.test(String(code)));
  return [...new Set(codes.map(String))].reverse().map((code) => ({ code, action, at: null, expiresAt: null }));
}

/** @param {string} key @param {any} note */
function noteOf(key, note) {
  const { buttontab: code, newtext: text } = note ?? {};
  return typeof text === "string" && text !== "" ? [{ key, code: String(code ?? ""), text }] : [];
}

/** @param {string | null} json @returns {any} */
function parsed(json) {
  try {
    const value = JSON.parse(json ?? "null");
    return typeof value === "object" ? value : null;
  } catch {
    return null;
  }
}
