/** What a popup goes on with when it opens: it is closed by every click beside it. */

import { fetchSecondsLeft, makeSaver } from "../core/saving.js";
import { newDraft } from "../core/session.js";
import { makeMemoryItem } from "../core/storage.js";
import { byPart } from "../ui/dom.js";

export const secondsUntil = (/** @type {number} */ time) => Math.floor((time - Date.now()) / 1000);

/**
 * @typedef {object} Context
 * @property {ReturnType<typeof import("../core/api.js").makeApi>} api
 * @property {ReturnType<typeof import("../core/session.js").makeSession>} sessionItems
 * @property {ReturnType<typeof makeSaver>} saver
 * @property {ReturnType<typeof import("../ui/savePanel.js").makeSavePanel>} save
 * @property {ReturnType<typeof import("../ui/loadPanel.js").makeLoadPanel>} load
 * @property {ReturnType<typeof import("../ui/tabs.js").makeTabs>} tabs
 */

/** @param {Context} context */
export async function resumeSession(context) {
  const { sessionItems } = context;
  const draft = await restorePanels(context);
  if (await sessionItems.outbox.get()) await resumePendingWrite(context, draft);
  browser.storage.session.onChanged.addListener(({ handed, notice }) => {
    if (handed?.newValue) acceptFromBackground(context);
    if (notice?.newValue) showNotice(context);
  });
  await acceptFromBackground(context);
  await showNotice(context);
}

/** What the background found out about a selection. @param {Context} context */
async function showNotice({ sessionItems, save, tabs }) {
  const notice = await sessionItems.notice.get();
  if (!notice || document.visibilityState !== "visible") return;
  await sessionItems.notice.set(null);
  tabs.show("tab-save");
  save.say(notice);
}

/** @param {Context} context */
async function restorePanels({ api, sessionItems, save, load, tabs }) {
  const [draft, typed, tab] = await Promise.all([sessionItems.draft.get(), sessionItems.typedCode.get(), sessionItems.tab.get()]);
  if (draft) save.restore(draft);
  if (typed) load.fill(typed);
  await restoreWritten(sessionItems.savedCode, save, api);
  await restoreShown(sessionItems.loadedText, load);
  const shown = tabs.show(tab ?? "tab-save");
  if (shown === "tab-load") load.focus();
  else if (shown === "tab-save") save.focus();
  else byPart(document, shown).focus();
  return draft;
}

/** @param {Context["sessionItems"]["savedCode"]} item @param {Context["save"]} save @param {Context["api"]} api */
async function restoreWritten(item, save, api) {
  const written = await item.get();
  if (!written) return;
  const { expiresAt, phrase, ...known } = written;
  let secondsLeft = secondsUntil(expiresAt);
  // The clock may have been set since: the service knows better.
  if (secondsLeft <= 0) secondsLeft = await fetchSecondsLeft(api, written).catch(() => 0);
  if (secondsLeft > 0) save.showCode({ ...known, secondsLeft }, phrase);
  else await item.set(null);
}

/** @param {Context["sessionItems"]["loadedText"]} item @param {Context["load"]} load */
async function restoreShown(item, load) {
  const shown = await item.get();
  if (!shown) return;
  const { expiresAt, ...found } = shown;
  // A one-time text is nowhere else any more: it stays until it is cleared.
  if (expiresAt === null) load.show({ ...found, secondsLeft: 0 });
  else if (expiresAt > Date.now()) load.show({ ...found, secondsLeft: secondsUntil(expiresAt) });
  else await item.set(null);
}

/** @param {Context} context @param {import("../core/session.js").FormDraft | null} draft */
async function resumePendingWrite({ sessionItems, save, saver }, draft) {
  // Changed since it was sent: what is in the form is wanted, and that was not.
  if (!draft?.sent) return sessionItems.outbox.set(null);
  // Locked, it stays in the form too: the phrase it was locked with may be known to nobody.
  return save.resumeUpload(saver, !draft.locked);
}

/** What the background was asked to save. @param {Context} context */
async function acceptFromBackground({ api, sessionItems, saver, save, tabs }) {
  const sent = await sessionItems.backgroundWrite.get();
  // Of several pages the one that a user looks at.
  if (!sent || document.visibilityState !== "visible") return;
  tabs.show("tab-save");
  if (save.isEmpty()) {
    const draft = { ...newDraft(sent.body.text), sent: true };
    save.restore(draft);
    await sessionItems.draft.set(draft);
    await saver.accept(sent);
    await sessionItems.backgroundWrite.set(null);
    await save.resumeUpload(saver, true);
    return;
  }
  // What is in the form stays there, and this one with the background until it is saved or refused for good.
  const outbox = makeMemoryItem();
  const writer = makeSaver({ api, outbox });
  await writer.accept(sent);
  await save.resumeUpload(writer, false);
  if ((await outbox.get()) === null) await sessionItems.backgroundWrite.set(null);
}
