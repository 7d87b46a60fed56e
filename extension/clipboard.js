/** A page for a moment: empties the clipboard of a shared computer. */

import { clearCopied } from "./browser/clipboard.js";

try {
  await clearCopied();
} finally {
  window.close();
}
