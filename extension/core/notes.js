/** Texts that a user keeps as notes, each under a key of its own. */

import { makeUuid } from "./uuid.js";

/** @typedef {import("./storage.js").StorageArea} StorageArea */
/** @typedef {{id: string, code: string, text: string}} Note */

const PREFIX = "note:";

/** @param {StorageArea} area */
export function makeNotes(area) {
  /** @param {Note} note @returns {Promise<Note>} */
  async function set(note) {
    await area.set({ [PREFIX + note.id]: note });
    return note;
  }

  return {
    set,

    /** @returns {Promise<Note[]>} in the order of their codes */
    async list() {
      const kept = Object.entries(await area.get(null)).filter(([key]) => key.startsWith(PREFIX));
      return kept.map(([, note]) => /** @type {Note} */ (note)).sort((one, other) => (one.code < other.code ? -1 : 1));
    },

    /** @param {string} code @param {string} text */
    add: (code, text) => set({ id: makeUuid(), code, text }),

    /** @param {string} id */
    remove: (id) => area.remove(PREFIX + id),
  };
}
