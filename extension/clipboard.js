/** A page for a moment: empties the clipboard of a shared computer. */

import { clearCopiedText } from "./browser/clipboard.js";

try {
  await clearCopiedText();
} finally {
  window.close();
}
