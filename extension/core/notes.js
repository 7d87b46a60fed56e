/** Texts that a person keeps as notes, each under a key of its own. */

import { makeUuid } from "./uuid.js";

/** @typedef {import("./storageItem.js").StorageArea} StorageArea */
/** @typedef {{id: string, code: string, text: string}} Note */

const PREFIX = "note:";

/** @param {StorageArea} area */
export function makeNotes(area) {
  /** @param {Note} note @returns {Promise<Note>} */
  async function put(note) {
    await area.set({ [PREFIX + note.id]: note });
    return note;
  }

  return {
    put,

    /** @returns {Promise<Note[]>} in the order of their codes */
    async list() {
      const kept = Object.entries(await area.get(null)).filter(([key]) => key.startsWith(PREFIX));
      return kept.map(([, note]) => /** @type {Note} */ (note)).sort((one, other) => (one.code < other.code ? -1 : 1));
    },

    /** @param {string} code @param {string} text */
    add: (code, text) => put({ id: makeUuid(), code, text }),

    /** @param {string} id */
    remove: (id) => area.remove(PREFIX + id),
  };
}
