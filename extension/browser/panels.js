/** The panels of the popup: wired to what is kept for a person, and to their service. */

import { makeApi } from "../core/api.js";
import { makeHistory } from "../core/history.js";
import { latest } from "../core/latest.js";
import { makeNotes } from "../core/notes.js";
import { makeReader } from "../core/reading.js";
import { makeSaver } from "../core/saving.js";
import { fragmentOf } from "../core/pasted.js";
import { makeSession } from "../core/session.js";
import { copyText, byPart } from "../ui/dom.js";
import { makeHistoryPanel } from "../ui/history.js";
import { makeLoadPanel } from "../ui/load.js";
import { makeNoteTabs } from "../ui/notes.js";
import { makeSavePanel } from "../ui/save.js";
import { makeTabs } from "../ui/tabs.js";
import { makeWaiting } from "../ui/waiting.js";
import { copyForAMinute } from "./clipboard.js";
import { insertText } from "./page.js";
import { goOn, secondsUntil } from "./resume.js";

/** @typedef {import("../core/settings.js").Settings} Settings */
/** @typedef {import("../ui/translator.js").Translator} Translator */

const find = (/** @type {string} */ name) => byPart(document, name);
const timeIn = (/** @type {number} */ seconds) => Date.now() + seconds * 1000;

/**
 * Show the panels as they were left, and go on with what was under way.
 * @param {Settings} set
 * @param {Translator} translator
 * @param {() => Promise<string[]>} wordList
 */
export async function openPanels(set, translator, wordList) {
  const { local, session } = browser.storage;
  const held = makeSession(session, set.borrowed);
  const retry = { waiting: makeWaiting(find("waiting"), translator) };
  const api = makeApi({ fetch: (url, request) => fetch(url, request), baseUrl: set.server, retry });
  const common = { api, translator, copy: set.borrowed ? copyForAMinute : copyText };
  const history = makeHistory(local);
  const saver = makeSaver({ api, outbox: held.outbox });
  const isNoting = set.history && !set.borrowed;

  /** A history without room keeps nobody from a text. @type {typeof history.note} */
  const note = async (...given) => {
    if (isNoting) await history.note(...given).catch(() => {});
  };

  const load = makeLoadPanel({
    ...common,
    root: find("load-panel"),
    reader: makeReader({ api, item: held.asked }),
    actions: { insert, ...(!set.borrowed && { keepNote: (shown) => notes.keep(shown) }) },
    typed: latest((code) => held.typed.put(code)),
    async showing(shown) {
      if (!shown) return held.shown.put(null);
      const { code, text, once, secondsLeft } = shown;
      await held.shown.put({ code, text, once, expiresAt: once ? null : timeIn(secondsLeft) });
      await note("loaded", code, secondsLeft);
    },
  });
  const save = makeSavePanel({
    ...common,
    root: find("save-panel"),
    saver,
    wordList,
    lifetime: set.lifetime,
    linkOf: (code, isSealed) => `${set.server}#${fragmentOf(code, isSealed)}`,
    drafted: latest((draft) => held.draft.put(draft)),
    async showing(written) {
      if (!written) return held.written.put(null);
      const { code, ownerToken, secondsLeft, isSealed, once, phrase } = written;
      await held.written.put({ code, ownerToken, expiresAt: timeIn(secondsLeft), isSealed, phrase });
      await note("saved", code, secondsLeft, { once, isSealed });
    },
    async ended(code) {
      await held.written.put(null);
      await history.end(code);
    },
  });
  const historyPanel = makeHistoryPanel({
    root: find("history-panel"),
    history,
    translator,
    isOn: isNoting,
    async open({ code, expiresAt, isSealed = false }) {
      tabs.show("tab-save");
      const written = await held.written.get();
      // Of the newest the owner token is here too.
      const { phrase, ...known } = written?.code === code ? written : { ownerToken: "", isSealed, phrase: "" };
      save.present({ ...known, code, secondsLeft: secondsUntil(expiresAt ?? 0) }, phrase);
    },
    load(code) {
      tabs.show("tab-load");
      load.open(code);
    },
  });
  const tabs = makeTabs(find("tabs"), (name) => {
    held.tab.put(name);
    if (name === "tab-history") historyPanel.show();
  });
  const notes = makeNoteTabs({
    list: find("tabs"),
    panels: find("panels"),
    notes: makeNotes(local),
    translator,
    copy: common.copy,
    show: tabs.show,
  });

  const applyLimits = (/** @type {import("../core/limits.js").Limits} */ limits) => {
    save.applyLimits(limits);
    history.applyLimits(limits.cool_down);
  };
  api.limits().then(applyLimits, () => {});
  await notes.restore();
  await goOn({ api, held, saver, save, load, tabs });
}

/** @param {string} text @returns {Promise<string>} the message that says what came of it */
async function insert(text) {
  // Below the popup, or where the tab of this page was opened for.
  const asked = new URLSearchParams(location.search).get("tab");
  const [below] = asked === null ? await browser.tabs.query({ active: true, currentWindow: true }) : [];
  const isInserted = await insertText(asked === null ? (below?.id ?? -1) : Number(asked), text);
  return isInserted ? "inserted" : "insert_failed";
}
