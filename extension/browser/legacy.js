/** Upgrading from extension 1.x, which kept everything in `localStorage`. */

import { makeHistory } from "../core/history.js";
import { readLegacy, removeLegacy } from "../core/legacy.js";
import { makeNotes } from "../core/notes.js";
import { newDraft, makeSession } from "../core/session.js";

/** Keep what it has left as this version keeps it, and only then remove it there. Raises where there is no room. */
export async function importLegacy() {
  const legacy = readLegacy(localStorage);
  if (!legacy) return;
  const { local, session } = browser.storage;
  for (const { key, code, text } of legacy.notes) {
    await makeNotes(local).add(code, text);
    localStorage.removeItem(key);
  }
  await makeHistory(local).addLegacy(legacy.entries);
  if (legacy.draft) await makeSession(session, false).draft.set(newDraft(legacy.draft));
  removeLegacy(localStorage);
}
