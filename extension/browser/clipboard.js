/** The clipboard of a shared computer: what was copied there is taken away a minute later. */

import { copiedIn } from "../core/session.js";
import { copyText } from "../ui/dom.js";

/** The name of the alarm that empties the clipboard. */
export const CLEAR_ALARM = "clear-clipboard";

const MINUTES = 1;
const encoder = new TextEncoder();

/**
 * What clearing needs, and is asked for when somebody says that the computer is borrowed. Writing too: without
 * it Firefox lets nothing be written where nobody has clicked.
 * @type {{permissions: ["clipboardRead", "clipboardWrite"]}}
 */
export const PERMISSION = { permissions: ["clipboardRead", "clipboardWrite"] };

/**
 * Copy a text and have it cleared after a minute, if it is still there.
 * @param {string} text
 * @returns {Promise<boolean>} whether the browser let it be copied
 */
export async function copyForAMinute(text) {
  // First: the popup may be closed the moment it is copied.
  await copiedIn(browser.storage.session).put(await hash(text));
  await browser.alarms.create(CLEAR_ALARM, { delayInMinutes: MINUTES });
  return copyText(text);
}

/** Empty the clipboard if it holds what was copied from here. */
export async function clearCopied() {
  const copied = copiedIn(browser.storage.session);
  const wanted = await copied.get();
  if (wanted !== null && (await hash(paste())) === wanted) await copyText("");
  await copied.put(null);
}

/** What lies in the clipboard; unlike `navigator.clipboard` it needs no focus. */
function paste() {
  const field = document.createElement("textarea");
  document.body.append(field);
  field.focus();
  document.execCommand("paste");
  const { value } = field;
  field.remove();
  return value;
}

/** Line ends are as the field above gives them. @param {string} text */
async function hash(text) {
  const digest = await crypto.subtle.digest("SHA-256", encoder.encode(text.replace(/\r\n?/g, "\n")));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
