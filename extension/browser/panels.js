/** The panels of the popup: wired to what is kept for a user, and to their service. */

import { makeApi } from "../core/api.js";
import { DEFAULT_LIMITS } from "../core/limits.js";
import { makeHistory } from "../core/history.js";
import { makePasswordNormalizer } from "../core/phrase.js";
import { coalesceWrites } from "../core/coalesce.js";
import { makeNotes } from "../core/notes.js";
import { makeReader } from "../core/reading.js";
import { makeSaver } from "../core/saving.js";
import { linkFragment } from "../core/codeSearch.js";
import { TEXT_TAB, makeLiveItems, makeSession, newDraft } from "../core/session.js";
import { copyText, byPart } from "../ui/dom.js";
import { listenToDocument } from "../ui/documentKeys.js";
import { makeHistoryPanel } from "../ui/historyPanel.js";
import { makeLiveEntry } from "../ui/liveEntry.js";
import { makeLoadPanel } from "../ui/loadPanel.js";
import { makeNotesPanel } from "../ui/notesPanel.js";
import { saveFile } from "../ui/saveFile.js";
import { makeSavePanel } from "../ui/savePanel.js";
import { makeTabs } from "../ui/tabs.js";
import { forgetCode, secondsUntil, storedCode, timeAfter, updateCode } from "../ui/restore.js";
import { makeWaitingMessage } from "../ui/waitingMessage.js";
import { copyTemporarily } from "./clipboard.js";
import { isLiveWindow, openLiveWindow, takeLiveRequest } from "./liveWindow.js";
import { noteOpened, startAsking } from "./notify.js";
import { insertText } from "./page.js";
import { resumeSession } from "./resume.js";

/** @typedef {import("../core/settings.js").Settings} Settings */
/** @typedef {import("../ui/i18n.js").I18n} I18n */

// In ms: what was done is to be read first.
const CLOSE_DELAY = 600;

const byName = (/** @type {string} */ name) => byPart(document, name);

/**
 * Show the panels as they were left, and go on with what was under way.
 * @param {Settings} settings
 * @param {I18n} i18n
 * @param {() => Promise<string[]>} wordList
 */
export async function openPanels(settings, i18n, wordList) {
  const { local, session } = browser.storage;
  const sessionItems = makeSession(session, settings.sharedComputer);
  const retry = { waiting: makeWaitingMessage(document, i18n) };
  const api = noteOpened(makeApi({ fetch: (url, request) => fetch(url, request), baseUrl: settings.server, retry }));
  const common = { api, i18n, copy: settings.sharedComputer ? copyTemporarily : copyText };
  const history = makeHistory(local);
  const saver = makeSaver({ api, outbox: sessionItems.outbox });
  const isHistoryOn = settings.history && !settings.sharedComputer;

  /** A history without room keeps nobody from a text. @type {typeof history.add} */
  const addToHistory = async (...given) => {
    if (isHistoryOn) await history.add(...given).catch(() => {});
  };

  const load = makeLoadPanel({
    ...common,
    root: byName("load-panel"),
    reader: makeReader({
      api,
      attemptItem: sessionItems.loadAttempt,
      normalizePassword: makePasswordNormalizer(wordList),
    }),
    actions: { ...(!isLiveWindow() && { insert }), saveFile, close: closePopup, ...(!settings.sharedComputer && { keepNote: (shown) => notesPanel.keep(shown) }) },
    onCodeTyped: coalesceWrites((code) => sessionItems.typedCode.set(code)),
    onText: (text) => save.insert(text),
    onLiveCode: (liveCode) => live.join(liveCode),
    async onShown(shown) {
      if (!shown) return sessionItems.loadedText.set(null);
      const { code, text, once, secondsLeft } = shown;
      await sessionItems.loadedText.set({ code, text, once, expiresAt: once ? null : timeAfter(secondsLeft) });
      await addToHistory("loaded", code, secondsLeft);
    },
  });
  const save = makeSavePanel({
    ...common,
    root: byName("save-panel"),
    saver,
    wordList,
    lifetime: settings.lifetime,
    linkOf: (code, marks) => `${settings.server}#${linkFragment(code, marks)}`,
    onDraftChange: coalesceWrites((draft) => sessionItems.draft.set(draft)),
    async onShown(shown) {
      load.clearMessages();
      if (!shown) return sessionItems.savedCode.set(null);
      const { code, secondsLeft, isSealed, once } = shown;
      await sessionItems.savedCode.set(storedCode(shown));
      await startAsking(settings);
      await addToHistory("saved", code, secondsLeft, { once, isSealed });
    },
    async onExtended(shown) {
      await updateCode(sessionItems.savedCode, shown);
      await history.setEnd(shown.code, timeAfter(shown.secondsLeft));
    },
    async onEnd(code) {
      await forgetCode(sessionItems.savedCode, code);
      await history.setEnd(code);
    },
  });
  const live = makeLiveEntry({
    ...common,
    root: document,
    service: settings.server,
    items: makeLiveItems(session, settings.sharedComputer),
    save,
    load,
    ...(!isLiveWindow() && { elsewhere: openLiveWindow }),
  });
  live.applyLimits(DEFAULT_LIMITS);
  const historyPanel = makeHistoryPanel({
    root: byName("history-panel"),
    history,
    i18n,
    isOn: isHistoryOn,
    async open({ code, at, expiresAt, isSealed = false, once = false }) {
      tabs.show(TEXT_TAB);
      const saved = await sessionItems.savedCode.get();
      // Of the newest the owner token is here too.
      const unknown = { ownerToken: "", isSealed, once, phrase: "", text: "", savedAt: at ?? 0 };
      const known = saved?.code === code ? saved : unknown;
      save.showCode({ ...known, code, secondsLeft: secondsUntil(expiresAt ?? 0) }, true);
    },
    load(code) {
      tabs.show(TEXT_TAB);
      load.openCode(code);
    },
  });
  const tabs = makeTabs(byName("tabs"), (name) => {
    sessionItems.tab.set(name);
    if (name === "tab-history") historyPanel.show();
    if (name === "tab-notes") notesPanel.show();
  });
  const notes = makeNotes(local);
  const notesPanel = makeNotesPanel({
    root: byName("notes-panel"),
    notes,
    i18n,
    copy: common.copy,
    onKept: () => tabs.show("tab-notes"),
  });
  // There are no new ones on a shared computer, but those from before are shown.
  byName("tab-notes").hidden = settings.sharedComputer && (await notes.list()).length === 0;

  const applyLimits = (/** @type {import("../core/limits.js").Limits} */ limits) => {
    save.applyLimits(limits);
    live.applyLimits(limits);
    history.setCoolDown(limits.cool_down);
  };
  api.limits().then(applyLimits, () => {});
  listenToDocument(document, { load, save }, { base: settings.server, onTaken: () => tabs.show(TEXT_TAB) });
  await resumeSession({ api, sessionItems, saver, save, load, tabs });
  if (isLiveWindow()) await goOnLive(live, save);
}

/** @param {ReturnType<typeof makeLiveEntry>} live @param {ReturnType<typeof makeSavePanel>} save */
async function goOnLive(live, save) {
  const request = await takeLiveRequest();
  if (!request) return live.resume();
  // There is no draft on a shared computer.
  if (request.text && save.isEmpty()) save.restore(newDraft(request.text));
  return live.start(request);
}

/** The last step is done. In a tab the page stays: nothing lies under it. */
function closePopup() {
  if (!document.documentElement.classList.contains("in-tab")) setTimeout(() => window.close(), CLOSE_DELAY);
}

/** @param {string} text @returns {Promise<string>} the message that says what came of it */
async function insert(text) {
  // Below the popup, or where the tab of this page was opened for.
  const tabParameter = new URLSearchParams(location.search).get("tab");
  const [activeTab] = tabParameter === null ? await browser.tabs.query({ active: true, currentWindow: true }) : [];
  const isInserted = await insertText(tabParameter === null ? (activeTab?.id ?? -1) : Number(tabParameter), text);
  return isInserted ? "inserted" : "insert_failed";
}
