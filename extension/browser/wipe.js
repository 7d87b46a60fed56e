/** Leave nothing behind. */

import { copyText } from "../ui/dom.js";

/** Empty everything that this extension keeps, and the clipboard. The page is to be loaded anew afterwards. */
export async function wipe() {
  await Promise.all([browser.storage.local.clear(), browser.storage.session.clear(), browser.alarms.clearAll()]);
  localStorage.clear();
  await copyText("");
}
