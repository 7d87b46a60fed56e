/** What the popup says on a shared computer. */

import { byPart } from "../ui/dom.js";
import { PERMISSION } from "./clipboard.js";

/** @param {import("../ui/translator.js").Translator} translator */
export async function showSharedComputerNotice(translator) {
  const button = byPart(document, "allow-clearing");

  async function tell() {
    const isCleared = await browser.permissions.contains(PERMISSION);
    translator.setText(byPart(document, "borrowed-says"), isCleared ? "borrowed_note" : "borrowed_note_uncleared");
    button.hidden = isCleared;
    byPart(document, "borrowed-note").hidden = false;
  }

  button.addEventListener("click", async () => {
    await browser.permissions.request(PERMISSION).catch(() => false);
    await tell();
  });
  await tell();
}
