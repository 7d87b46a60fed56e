/** The popup: wires the panels to a person's settings, what is kept for them, and their service. */

import { adoptLegacy } from "./browser/legacy.js";
import { PERMISSION, copyForAMinute } from "./browser/clipboard.js";
import { insertText } from "./browser/page.js";
import { readShipped } from "./browser/shipped.js";
import { wipe } from "./browser/wipe.js";
import { makeApi } from "./core/api.js";
import { makeHistory } from "./core/history.js";
import { latest } from "./core/latest.js";
import { makeNotes } from "./core/notes.js";
import { makeReader } from "./core/reading.js";
import { makeSaver } from "./core/saving.js";
import { draftOf, makeSession } from "./core/session.js";
import { makeSettings } from "./core/settings.js";
import { makeMemory } from "./core/slot.js";
import { makeCatalogues } from "./ui/catalogues.js";
import { copyText, part } from "./ui/dom.js";
import { insertPanel } from "./ui/fragments.js";
import { makeHistoryPanel } from "./ui/history.js";
import { makeLabels } from "./ui/labels.js";
import { makeLoadPanel } from "./ui/load.js";
import { makeNoteTabs } from "./ui/notes.js";
import { makeSavePanel } from "./ui/save.js";
import { makeTabs } from "./ui/tabs.js";
import { makeWaiting } from "./ui/waiting.js";
import { makeWords } from "./ui/words.js";

/** @typedef {import("./core/settings.js").Settings} Settings */
/** @typedef {import("./ui/labels.js").Labels} Labels */

const { local, session } = browser.storage;
const catalogues = makeCatalogues(fetch, import.meta.url);
const find = (/** @type {string} */ name) => part(document, name);
const secondsUntil = (/** @type {number} */ time) => Math.floor((time - Date.now()) / 1000);
const timeIn = (/** @type {number} */ seconds) => Date.now() + seconds * 1000;

async function start() {
  await adoptLegacy();
  const isInTab = (await browser.tabs.getCurrent()) !== undefined;
  document.documentElement.classList.toggle("in-tab", isInTab);
  const set = await makeSettings(local, await readShipped()).get();
  const labels = await speak(set.language || browser.i18n.getMessage("lang"));
  find("settings").addEventListener("click", openSettings);
  find("choose-server").addEventListener("click", openSettings);
  find("wipe").addEventListener("click", wipeAll);
  find("wipe-now").addEventListener("click", wipeAll);
  if (set.borrowed) await tellBorrowed(labels);
  find("choose").hidden = set.server !== "";
  find("panels").hidden = find("tabs").hidden = set.server === "";
  if (set.server) await open(set, labels);
}

/** @param {string} language */
async function speak(language) {
  document.documentElement.lang = language;
  const labels = makeLabels(makeWords(await catalogues.all(), language));
  await Promise.all(["save", "load"].map((name) => insertPanel(find(`${name}-panel`), `ui/${name}.html`)));
  labels.renew(document);
  return labels;
}

/** @param {Settings} set @param {Labels} labels */
async function open(set, labels) {
  const held = makeSession(session, set.borrowed);
  const history = makeHistory(local);
  const isNoting = set.history && !set.borrowed;
  const patience = { waiting: makeWaiting(find("waiting"), labels) };
  const api = makeApi({ fetch: (url, request) => fetch(url, request), baseUrl: set.server, patience });
  const common = { api, labels, copy: set.borrowed ? copyForAMinute : copyText };
  const saver = makeSaver({ api, outbox: held.outbox });

  const load = makeLoadPanel({
    ...common,
    root: find("load-panel"),
    reader: makeReader({ api, slot: held.asked }),
    deeds: { insert, ...(!set.borrowed && { keepNote: (shown) => notes.keep(shown) }) },
    typed: latest((code) => held.typed.put(code)),
    async showing(shown) {
      if (!shown) return held.shown.put(null);
      const { code, text, once, secondsLeft } = shown;
      await held.shown.put({ code, text, once, expiresAt: timeIn(secondsLeft) });
      if (isNoting) await history.note("loaded", code, secondsLeft);
    },
  });
  const save = makeSavePanel({
    ...common,
    root: find("save-panel"),
    saver,
    lifetime: set.lifetime,
    linkOf: (code) => `${set.server}#${code}`,
    wordList: catalogues.wordList,
    drafted: latest((draft) => held.draft.put(draft)),
    async showing(written) {
      if (!written) return held.written.put(null);
      const { code, ownerToken, secondsLeft } = written;
      await held.written.put({ code, ownerToken, expiresAt: timeIn(secondsLeft) });
      if (isNoting) await history.note("saved", code, secondsLeft);
    },
  });
  const historyPanel = makeHistoryPanel({
    root: find("history-panel"),
    history,
    labels,
    isOn: isNoting,
    open(code) {
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
    labels,
    copy: common.copy,
    show: tabs.show,
  });

  /** What the background was asked to save stays with it until it is saved, and so does a draft in the form. */
  async function takeOver() {
    const sent = await held.handed.get();
    if (!sent) return;
    tabs.show("tab-save");
    const isForm = save.isEmpty();
    if (isForm) save.restore(draftOf(sent.body.text));
    const outbox = makeMemory();
    const courier = makeSaver({ api, outbox });
    await courier.adopt(sent);
    await save.goOn(courier.resume, isForm);
    // Saved, or refused for good.
    if ((await outbox.get()) === null) await held.handed.put(null);
  }

  /** As it was when the popup was closed. */
  async function restore() {
    const [draft, typed, written, shown, tab] = await Promise.all(
      [held.draft, held.typed, held.written, held.shown, held.tab].map((slot) => slot.get()),
    );
    if (draft) save.restore(draft);
    if (typed) load.fill(typed);
    if (written && written.expiresAt > Date.now()) {
      save.present({ ...written, secondsLeft: secondsUntil(written.expiresAt) });
    }
    if (shown && shown.expiresAt > Date.now()) load.show({ ...shown, secondsLeft: secondsUntil(shown.expiresAt) });
    await notes.restore();
    tabs.show(tab ?? "tab-save");
    if (find("tab-load").ariaSelected === "true") load.focus();
    else save.focus();
    return draft;
  }

  api.limits().then(save.obey, () => {});
  const draft = await restore();
  session.onChanged.addListener(({ handed }) => {
    if (handed?.newValue) takeOver();
  });
  if (await held.outbox.get()) await save.goOn(saver.resume, draft?.sent === true);
  await takeOver();
  document.documentElement.dataset.ready = "";
}

/** @param {string} text @returns {Promise<string>} the message that says what came of it */
async function insert(text) {
  const asked = new URLSearchParams(location.search).get("tab");
  const [below] = asked === null ? await browser.tabs.query({ active: true, currentWindow: true }) : [];
  const isInserted = await insertText(asked === null ? (below?.id ?? -1) : Number(asked), text);
  return isInserted ? "inserted" : "insert_failed";
}

/** @param {Labels} labels */
async function tellBorrowed(labels) {
  const isCleared = await browser.permissions.contains(PERMISSION);
  labels.put(find("borrowed-says"), isCleared ? "borrowed_note" : "borrowed_note_uncleared");
  find("allow-clearing").hidden = isCleared;
  find("borrowed-note").hidden = false;
  find("allow-clearing").addEventListener("click", async () => {
    await browser.permissions.request(PERMISSION);
    await tellBorrowed(labels);
  });
}

async function wipeAll() {
  await wipe();
  location.reload();
}

const openSettings = () => browser.runtime.openOptionsPage();

start();
