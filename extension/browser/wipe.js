/** Leave nothing behind. */

import { makeNotes } from "../core/notes.js";
import { copyText } from "../ui/dom.js";
import { makeSure } from "../ui/sure.js";

/**
 * Let a button empty everything that this extension keeps here, and the clipboard.
 * @param {HTMLButtonElement} button
 * @param {import("../ui/labels.js").Labels} labels
 */
export function makeWipe(button, labels) {
  makeSure(button, labels, {
    // Notes are nowhere else.
    asks: async () => (await makeNotes(browser.storage.local).list()).length > 0,
    async deed() {
      localStorage.clear();
      await copyText("");
      // Last: with its settings gone the popup loads itself anew, and what came after would not be done.
      await Promise.all([browser.storage.session.clear(), browser.alarms.clearAll(), browser.storage.local.clear()]);
      location.reload();
    },
  });
}
