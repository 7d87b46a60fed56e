/** The clipboard of a shared computer: what the extension copied is cleared a minute later. */

import { copiedHashItem } from "../core/session.js";
import { copyText } from "../ui/dom.js";

/** The name of the alarm that clears the clipboard. */
export const CLEAR_ALARM = "clear-clipboard";

const CLEAR_AFTER_MINUTES = 1;
const encoder = new TextEncoder();

/**
 * Requested when the user says that the computer is shared. Without `clipboardWrite` Firefox refuses every write that
 * does not follow a click.
 * @type {{permissions: ["clipboardRead", "clipboardWrite"]}}
 */
export const CLIPBOARD_PERMISSIONS = { permissions: ["clipboardRead", "clipboardWrite"] };

/**
 * Copy a text; an alarm clears it after a minute if the clipboard still holds it.
 * @param {string} text
 * @returns {Promise<boolean>} whether the browser let it be copied
 */
export async function copyTemporarily(text) {
  // First: the popup may be closed the moment it is copied.
  await copiedHashItem(browser.storage.session).set(await hash(text));
  await browser.alarms.create(CLEAR_ALARM, { delayInMinutes: CLEAR_AFTER_MINUTES });
  return copyText(text);
}

/** Empty the clipboard if it still holds the text that `copyTemporarily` copied. */
export async function clearCopiedText() {
  const copied = copiedHashItem(browser.storage.session);
  const copiedHash = await copied.get();
  if (copiedHash !== null && (await hash(readClipboard())) === copiedHash) await copyText("");
  await copied.set(null);
}

/** Read the clipboard; unlike `navigator.clipboard` this needs no focus. */
function readClipboard() {
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
