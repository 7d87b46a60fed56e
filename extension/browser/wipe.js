/** Leave nothing behind. */

import { makeNotes } from "../core/notes.js";
import { copyText } from "../ui/dom.js";
import { makeConfirmButton } from "../ui/confirmButton.js";

const WIPED = "wiped";

/** Load this page anew when another one has wiped everything: it would store again what it shows. */
export function reloadAfterWipe() {
  browser.runtime.onMessage.addListener((message) => {
    if (message === WIPED) location.reload();
  });
}

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
      const { settings } = await browser.storage.local.get("settings");
      // Last: with its settings gone the popup loads itself anew, and what came after would not be done.
      await Promise.all([browser.storage.session.clear(), browser.alarms.clearAll(), browser.storage.local.clear()]);
      // Without stored settings none have changed, for which the other pages load themselves anew.
      if (!settings) await browser.runtime.sendMessage(WIPED).catch(() => {});
      location.reload();
    },
  });
}
