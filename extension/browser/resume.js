/** What a popup goes on with when it opens: it is closed by every click beside it. */

import { leftOf, makeSaver } from "../core/saving.js";
import { draftOf } from "../core/session.js";
import { makeMemoryItem } from "../core/storageItem.js";
import { byPart } from "../ui/dom.js";

export const secondsUntil = (/** @type {number} */ time) => Math.floor((time - Date.now()) / 1000);

/**
 * @typedef {object} Options
 * @property {ReturnType<typeof import("../core/api.js").makeApi>} api
 * @property {ReturnType<typeof import("../core/session.js").makeSession>} held
 * @property {ReturnType<typeof makeSaver>} saver
 * @property {ReturnType<typeof import("../ui/save.js").makeSavePanel>} save
 * @property {ReturnType<typeof import("../ui/load.js").makeLoadPanel>} load
 * @property {ReturnType<typeof import("../ui/tabs.js").makeTabs>} tabs
 */

/** @param {Options} options */
export async function goOn(options) {
  const { held } = options;
  const draft = await restore(options);
  if (await held.outbox.get()) await finish(options, draft);
  browser.storage.session.onChanged.addListener(({ handed, notice }) => {
    if (handed?.newValue) takeOver(options);
    if (notice?.newValue) say(options);
  });
  await takeOver(options);
  await say(options);
}

/** What the background found out about a selection. @param {Options} options */
async function say({ held, save, tabs }) {
  const notice = await held.notice.get();
  if (!notice || document.visibilityState !== "visible") return;
  await held.notice.put(null);
  tabs.show("tab-save");
  save.say(notice);
}

/** @param {Options} options */
async function restore({ api, held, save, load, tabs }) {
  const [draft, typed, tab] = await Promise.all([held.draft.get(), held.typed.get(), held.tab.get()]);
  if (draft) save.restore(draft);
  if (typed) load.fill(typed);
  await restoreWritten(held.written, save, api);
  await restoreShown(held.shown, load);
  const shown = tabs.show(tab ?? "tab-save");
  if (shown === "tab-load") load.focus();
  else if (shown === "tab-save") save.focus();
  else byPart(document, shown).focus();
  return draft;
}

/** @param {Options["held"]["written"]} item @param {Options["save"]} save @param {Options["api"]} api */
async function restoreWritten(item, save, api) {
  const written = await item.get();
  if (!written) return;
  const { expiresAt, phrase, ...known } = written;
  let secondsLeft = secondsUntil(expiresAt);
  // The clock may have been set since: the service knows better.
  if (secondsLeft <= 0) secondsLeft = await leftOf(api, written).catch(() => 0);
  if (secondsLeft > 0) save.present({ ...known, secondsLeft }, phrase);
  else await item.put(null);
}

/** @param {Options["held"]["shown"]} item @param {Options["load"]} load */
async function restoreShown(item, load) {
  const shown = await item.get();
  if (!shown) return;
  const { expiresAt, ...found } = shown;
  // A one-time text is nowhere else any more: it stays until it is cleared.
  if (expiresAt === null) load.show({ ...found, secondsLeft: 0 });
  else if (expiresAt > Date.now()) load.show({ ...found, secondsLeft: secondsUntil(expiresAt) });
  else await item.put(null);
}

/** @param {Options} options @param {import("../core/session.js").Drafted | null} draft */
async function finish({ held, save, saver }, draft) {
  // Changed since it was sent: what is in the form is wanted, and that was not.
  if (!draft?.sent) return held.outbox.put(null);
  // Locked, it stays in the form too: the phrase it was locked with may be known to nobody.
  return save.goOn(saver, !draft.locked);
}

/** What the background was asked to save. @param {Options} options */
async function takeOver({ api, held, saver, save, tabs }) {
  const sent = await held.handed.get();
  // Of several pages the one that a person looks at.
  if (!sent || document.visibilityState !== "visible") return;
  tabs.show("tab-save");
  if (save.isEmpty()) {
    const draft = { ...draftOf(sent.body.text), sent: true };
    save.restore(draft);
    await held.draft.put(draft);
    await saver.adopt(sent);
    await held.handed.put(null);
    await save.goOn(saver, true);
    return;
  }
  // What is in the form stays there, and this one with the background until it is saved or refused for good.
  const outbox = makeMemoryItem();
  const courier = makeSaver({ api, outbox });
  await courier.adopt(sent);
  await save.goOn(courier, false);
  if ((await outbox.get()) === null) await held.handed.put(null);
}
