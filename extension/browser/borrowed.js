/** What the popup says on a borrowed computer. */

import { part } from "../ui/dom.js";
import { PERMISSION } from "./clipboard.js";

/** @param {import("../ui/labels.js").Labels} labels */
export async function tellBorrowed(labels) {
  const button = part(document, "allow-clearing");

  async function tell() {
    const isCleared = await browser.permissions.contains(PERMISSION);
    labels.put(part(document, "borrowed-says"), isCleared ? "borrowed_note" : "borrowed_note_uncleared");
    button.hidden = isCleared;
    part(document, "borrowed-note").hidden = false;
  }

  button.addEventListener("click", async () => {
    await browser.permissions.request(PERMISSION).catch(() => false);
    await tell();
  });
  await tell();
}
