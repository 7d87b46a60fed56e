/** What a page goes on with when it is opened again: a draft, a code, a text, a write whose end nobody saw. */

import { fetchSecondsLeft } from "../core/saving.js";

export const secondsUntil = (/** @type {number} */ time) => Math.floor((time - Date.now()) / 1000);
export const timeAfter = (/** @type {number} */ seconds) => Date.now() + seconds * 1000;

/** @typedef {ReturnType<typeof import("../core/session.js").makeSession>} SessionItems */
/** @typedef {ReturnType<typeof import("./savePanel.js").makeSavePanel>} SavePanel */
/** @typedef {ReturnType<typeof import("./loadPanel.js").makeLoadPanel>} LoadPanel */

/**
 * @param {object} context
 * @param {ReturnType<typeof import("../core/api.js").makeApi>} context.api
 * @param {SessionItems} context.sessionItems
 * @param {SavePanel} context.save
 * @param {LoadPanel} context.load
 * @returns {Promise<boolean>} whether there is a draft in the form now
 */
export async function restorePanels({ api, sessionItems, save, load }) {
  const [draft, typed] = await Promise.all([sessionItems.draft.get(), sessionItems.typedCode.get()]);
  if (draft) save.restore(draft);
  if (typed) load.fill(typed);
  // A draft is newer than a code.
  if (!draft?.text) await restoreSavedCode(sessionItems.savedCode, save, api);
  await restoreLoadedText(sessionItems.loadedText, load);
  return Boolean(draft?.text);
}

/** @param {SessionItems["savedCode"]} item @param {SavePanel} save @param {ReturnType<typeof import("../core/api.js").makeApi>} api */
async function restoreSavedCode(item, save, api) {
  const saved = await item.get();
  if (!saved) return;
  const { expiresAt, ...known } = saved;

  /** @param {number} secondsLeft */
  const show = async (secondsLeft) => {
    if (secondsLeft <= 0) await item.set(null);
    else if (save.isEmpty()) save.showCode({ ...known, secondsLeft }, true);
  };

  const secondsLeft = secondsUntil(expiresAt);
  if (secondsLeft > 0) await show(secondsLeft);
  // The clock may have been set since: the service knows better. Nobody waits for its answer.
  else fetchSecondsLeft(api, saved).catch(() => 0).then(show);
}

/** @param {SessionItems["loadedText"]} item @param {LoadPanel} load */
async function restoreLoadedText(item, load) {
  const shown = await item.get();
  if (!shown) return;
  const { expiresAt, ...found } = shown;
  // A one-time text is nowhere else any more: it stays until it is cleared.
  if (expiresAt === null) load.show({ ...found, secondsLeft: 0 });
  else if (expiresAt > Date.now()) load.show({ ...found, secondsLeft: secondsUntil(expiresAt) });
  else await item.set(null);
}

/**
 * @param {SessionItems} sessionItems
 * @param {SavePanel} save
 * @param {ReturnType<typeof import("../core/saving.js").makeSaver>} saver
 */
export async function resumePendingWrite(sessionItems, save, saver) {
  if (!(await sessionItems.outbox.get())) return undefined;
  const draft = await sessionItems.draft.get();
  // Changed since it was sent: what is in the form is wanted, and that was not.
  if (!draft?.sent) return sessionItems.outbox.set(null);
  // Locked, it stays in the form too: the phrase it was locked with may be known to nobody.
  return save.resumeUpload(saver, !draft.locked);
}

/**
 * What of a saved code outlives the page. The text of an encrypted one does not: it would lie there in the clear.
 * @param {import("./savedCode.js").ShownCode} shown
 * @returns {import("../core/session.js").StoredCode}
 */
export function storedCode({ code, ownerToken, secondsLeft, isSealed, once, phrase, text, savedAt }) {
  const expiresAt = timeAfter(secondsLeft);
  return { code, ownerToken, expiresAt, isSealed, once, phrase, text: isSealed ? "" : text, savedAt };
}

/**
 * A code opens nothing any more; another one that was saved meanwhile stays.
 * @param {SessionItems["savedCode"]} item
 * @param {string} code
 */
export async function forgetCode(item, code) {
  if ((await item.get())?.code === code) await item.set(null);
}

/**
 * The text of a code lives longer; another one that was saved elsewhere stays.
 * @param {SessionItems["savedCode"]} item
 * @param {import("./savedCode.js").ShownCode} shown
 */
export async function updateCode(item, { code, secondsLeft }) {
  const saved = await item.get();
  if (saved?.code === code) await item.set({ ...saved, expiresAt: timeAfter(secondsLeft) });
}
