/** Leave nothing behind. */

import { makeNotes } from "../core/notes.js";
import { copyText } from "../ui/dom.js";
import { makeConfirmButton } from "../ui/confirmButton.js";

/**
 * Let a button empty everything that this extension keeps here, and the clipboard.
 * @param {HTMLButtonElement} button
 * @param {import("../ui/i18n.js").I18n} i18n
 */
export function makeWipeButton(button, i18n) {
  makeConfirmButton(button, i18n, {
    // Notes are nowhere else.
    needsConfirmation: async () => (await makeNotes(browser.storage.local).list()).length > 0,
    async action() {
      localStorage.clear();
      await copyText("");
      // Last: with its settings gone the popup loads itself anew, and what came after would not be done.
      await Promise.all([browser.storage.session.clear(), browser.alarms.clearAll(), browser.storage.local.clear()]);
      location.reload();
    },
  });
}
