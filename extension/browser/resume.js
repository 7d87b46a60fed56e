/** What a popup goes on with when it opens: it is closed by every click beside it. */

import { makeSaver } from "../core/saving.js";
import { LOAD_TAB, TEXT_TAB, newDraft } from "../core/session.js";
import { makeMemoryItem } from "../core/storage.js";
import { byPart } from "../ui/dom.js";
import { restorePanels, resumePendingWrite } from "../ui/restore.js";

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
  const { sessionItems, save, saver } = context;
  const hasDraft = await restorePanels(context);
  await showTab(context, hasDraft);
  await resumePendingWrite(sessionItems, save, saver);
  browser.storage.session.onChanged.addListener(({ handed, notice }) => {
    if (handed?.newValue) acceptFromBackground(context);
    if (notice?.newValue) showNotice(context);
  });
  await acceptFromBackground(context);
  await showNotice(context);
}

/** @param {Context} context @param {boolean} hasDraft */
async function showTab({ sessionItems, save, load, tabs }, hasDraft) {
  const tab = await sessionItems.tab.get();
  const shown = tabs.show(tab === LOAD_TAB ? TEXT_TAB : (tab ?? TEXT_TAB));
  if (tab === LOAD_TAB) load.focus();
  else if (shown !== TEXT_TAB) byPart(document, shown).focus();
  // With no focus at all a key may begin a code as well as a text.
  else if (hasDraft) save.focus();
  else if (await sessionItems.typedCode.get()) load.focus();
}

/** What the background found out about a selection. @param {Context} context */
async function showNotice({ sessionItems, save, tabs }) {
  const notice = await sessionItems.notice.get();
  if (!notice || document.visibilityState !== "visible") return;
  await sessionItems.notice.set(null);
  tabs.show(TEXT_TAB);
  save.say(notice);
}

/** What the background was asked to save. @param {Context} context */
async function acceptFromBackground({ api, sessionItems, saver, save, tabs }) {
  const sent = await sessionItems.backgroundWrite.get();
  // Of several pages the one that a user looks at.
  if (!sent || document.visibilityState !== "visible") return;
  tabs.show(TEXT_TAB);
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
