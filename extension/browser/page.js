/** The page that a user is at: its selection read, a text inserted at its cursor. Needs `activeTab`. */

/**
 * The selected text with its line breaks, which a context menu's own `selectionText` loses in Chromium.
 * @param {number} tabId
 * @param {number} [frameId]
 * @returns {Promise<string | null>} "" where nothing is selected, null where no extension may look
 */
export async function readSelection(tabId, frameId) {
  try {
    const target = frameId === undefined ? { tabId, allFrames: true } : { tabId, frameIds: [frameId] };
    const results = await browser.scripting.executeScript({ target, func: selectedTextInPage });
    return results.map(({ result }) => result).find(Boolean) ?? "";
  } catch {
    return null;
  }
}

/**
 * Insert a text where the cursor of a page is.
 * @param {number} tabId
 * @param {string} text
 * @returns {Promise<boolean>} whether there was a place for it
 */
export async function insertText(tabId, text) {
  try {
    const target = { tabId, allFrames: true };
    const results = await browser.scripting.executeScript({ target, func: insertTextInPage, args: [text] });
    return results.some(({ result }) => result === true);
  } catch {
    return false;
  }
}

// Both run in the page, and know nothing of what surrounds them here.

function selectedTextInPage() {
  const field = document.activeElement;
  if (field instanceof HTMLTextAreaElement || (field instanceof HTMLInputElement && field.type !== "password")) {
    const fieldSelection = field.value.slice(field.selectionStart ?? 0, field.selectionEnd ?? 0);
    if (fieldSelection) return fieldSelection;
  }
  return String(getSelection() ?? "");
}

/** @param {string} text */
function insertTextInPage(text) {
  const field = document.activeElement;
  // In each frame above the one with the cursor, the frame's element is the active one.
  const isField = field instanceof HTMLTextAreaElement || field instanceof HTMLInputElement;
  if (!isField && !(field instanceof HTMLElement && field.isContentEditable)) return false;
  if (self !== top && parent.document.activeElement !== self.frameElement) return false;
  field.focus();
  // Deprecated and without a successor: it alone leaves the page's own undo whole.
  return document.execCommand("insertText", false, text);
}
