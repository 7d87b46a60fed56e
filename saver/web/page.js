/** The page at `/`: wires the panels to the service that it came from. */

import { makeApi } from "../core/api.js";
import { coalesceWrites } from "../core/coalesce.js";
import { linkFragment } from "../core/codeSearch.js";
import { makePasswordNormalizer } from "../core/phrase.js";
import { makeReader } from "../core/reading.js";
import { makeSaver } from "../core/saving.js";
import { makeLiveItems, makeSession } from "../core/session.js";
import { listenToDocument } from "../ui/documentKeys.js";
import { copyText, byPart } from "../ui/dom.js";
import { makeI18n } from "../ui/i18n.js";
import { makeLiveEntry } from "../ui/liveEntry.js";
import { makeLoadPanel } from "../ui/loadPanel.js";
import { forgetCode, restorePanels, resumePendingWrite, storedCode, updateCode } from "../ui/restore.js";
import { saveFile } from "../ui/saveFile.js";
import { makeSavePanel } from "../ui/savePanel.js";
import { showServiceInfo } from "../ui/serviceInfo.js";
import { makeTranslations } from "../ui/translations.js";
import { makeTranslator } from "../ui/translator.js";
import { makeWaitingMessage } from "../ui/waitingMessage.js";
import { forgetLanguage, offerLanguages } from "./languages.js";
import { makePageStorage } from "./pageStorage.js";
import { registerShareWorker, SHARE_FRAGMENT, takeShared } from "./share.js";

const files = new URL("../", import.meta.url);
// The page is two folders above its files: static/VERSION/.
const base = new URL("../../", files);
const root = document.documentElement;
const byName = (/** @type {string} */ name) => byPart(document, name);

/** Take the fragment out of the address bar and the history: it is a code. */
function takeFragment() {
  const { hash, pathname, search } = location;
  if (hash) history.replaceState(null, "", pathname + search);
  return hash;
}

/** What was shared goes where a paste would. @param {{text: string} | null} shared @param {{insert: (text: string) => void}} save */
function takeIn(shared, save) {
  if (shared) save.insert(shared.text);
}

/** Only over https may a page read the clipboard. */
const paste = () => navigator.clipboard.readText();

/** @param {Context} context */
function makePanels({ api, i18n, sessionItems, liveItems, wordList, saver }) {
  const common = { api, i18n, copy: copyText };
  const load = makeLoadPanel({
    ...common,
    root: byName("load-panel"),
    reader: makeReader({
      api,
      normalizePassword: makePasswordNormalizer(wordList),
    }),
    actions: { saveFile },
    onText: (text) => save.insert(text),
    onLiveCode: (liveCode) => live.join(liveCode),
  });
  const save = makeSavePanel({
    ...common,
    root: byName("save-panel"),
    saver,
    linkOf: (code, marks) => new URL(`#${linkFragment(code, marks)}`, base).href,
    wordList,
    ...(navigator.clipboard && { paste }),
    onDraftChange: coalesceWrites((draft) => sessionItems.draft.set(draft)),
    async onShown(shown) {
      load.clearMessages();
      // A phrase is a password: a page that is loaded again has forgotten it.
      await sessionItems.savedCode.set(shown && { ...storedCode(shown), phrase: "" });
    },
    onExtended: (shown) => updateCode(sessionItems.savedCode, shown),
    onEnd: (code) => forgetCode(sessionItems.savedCode, code),
  });
  const live = makeLiveEntry({ root: document, i18n, api, service: base.href, items: liveItems, save, load });
  return { load, save, live };
}

/** @typedef {Awaited<ReturnType<typeof makeContext>>} Context */

/** Where a user has blocked it, already to name it is an error; the page is to work all the same. */
function tabStorage() {
  try {
    return sessionStorage;
  } catch {
    return null;
  }
}

async function makeContext() {
  const fetch = window.fetch.bind(window);
  const translations = makeTranslations(fetch, files);
  const spoken = { [root.lang]: await translations.load(root.lang) };
  const i18n = makeI18n(makeTranslator(spoken, root.lang));
  const storage = makePageStorage(tabStorage(), byName("not-my-computer"), byName("page-status"), i18n);
  const sessionItems = makeSession(storage, false);
  const liveItems = makeLiveItems(storage, false);
  const retry = { waiting: makeWaitingMessage(document, i18n) };
  const api = makeApi({ fetch, baseUrl: base, retry });
  const saver = makeSaver({ api, outbox: sessionItems.outbox });
  /** @type {import("../core/limits.js").Limits} what `GET /api/v1/limits` answers, which the page came with */
  const limits = JSON.parse(document.querySelector("#limits")?.textContent ?? "");
  return { api, i18n, sessionItems, liveItems, saver, spoken, translations, limits, wordList: translations.wordList };
}

async function start() {
  const given = takeFragment();
  const context = await makeContext();
  const { api, i18n, sessionItems, saver, spoken, translations } = context;
  const { load, save, live } = makePanels(context);
  const notMyComputer = byName("not-my-computer");

  save.applyLimits(context.limits);
  live.applyLimits(context.limits);
  showServiceInfo(byName("service"), context.limits);
  window.addEventListener("beforeunload", (event) => {
    if (load.isOnlyCopy()) event.preventDefault();
  });
  window.addEventListener("hashchange", () => {
    const later = takeFragment();
    if (later) load.openCode(later);
  });
  offerLanguages(byName("language"), byName("page-status"), i18n, async (language) => {
    spoken[language] ??= await translations.load(language);
  }, () => notMyComputer.checked);
  notMyComputer.addEventListener("change", () => notMyComputer.checked && forgetLanguage());
  listenToDocument(document, { load, save }, { base: base.href });
  await restorePanels({ api, sessionItems, save, load });
  if (given && given !== SHARE_FRAGMENT) load.openCode(given);
  byName("incomplete").remove();
  registerShareWorker(new URL("service-worker.js", base));
  root.dataset.ready = "";
  await live.resume();
  // First: a write that is gone on with clears the form in the end.
  await resumePendingWrite(sessionItems, save, saver);
  if (given === SHARE_FRAGMENT) takeIn(await takeShared(), save);
}

start().catch(() => {
  byName("incomplete").dataset.failed = "";
});
