/** What the popup says on a shared computer. */

import { byPart } from "../ui/dom.js";
import { CLIPBOARD_PERMISSIONS } from "./clipboard.js";

/** @param {import("../ui/i18n.js").I18n} i18n */
export async function showSharedComputerNotice(i18n) {
  const button = byPart(document, "allow-clearing");

  async function update() {
    const canClear = await browser.permissions.contains(CLIPBOARD_PERMISSIONS);
    i18n.setText(byPart(document, "shared-computer-message"), canClear ? "shared_computer_notice" : "shared_computer_notice_uncleared");
    button.hidden = canClear;
    byPart(document, "shared-computer-notice").hidden = false;
  }

  button.addEventListener("click", async () => {
    await browser.permissions.request(CLIPBOARD_PERMISSIONS).catch(() => false);
    await update();
  });
  await update();
}
