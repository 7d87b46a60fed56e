/** The page at `/`: wires the panels to the service that it came from. */

import { makeApi } from "../core/api.js";
import { linkFragment } from "../core/codeSearch.js";
import { makeReader } from "../core/reading.js";
import { makeSaver } from "../core/saving.js";
import { makeTranslations } from "../ui/translations.js";
import { copyText, byPart } from "../ui/dom.js";
import { makeI18n } from "../ui/i18n.js";
import { makeLoadPanel } from "../ui/loadPanel.js";
import { makeSavePanel } from "../ui/savePanel.js";
import { showServiceInfo } from "../ui/serviceInfo.js";
import { makeWaitingMessage } from "../ui/waitingMessage.js";
import { makeTranslator } from "../ui/translator.js";
import { registerShareWorker, SHARE_FRAGMENT, takeShared } from "./share.js";

const files = new URL("../", import.meta.url);
// The page is two folders above its files: static/VERSION/.
const base = new URL("../../", files);
const root = document.documentElement;

/** Take the fragment out of the address bar and the history: it is a code. */
function takeFragment() {
  const { hash, pathname, search } = location;
  if (hash) history.replaceState(null, "", pathname + search);
  return hash;
}

/**
 * @param {import("../ui/i18n.js").I18n} i18n
 * @param {(language: string) => Promise<void>} fetchLanguage
 */
function offerLanguages(i18n, fetchLanguage) {
  const links = /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll("nav a"));
  for (const link of links) {
    link.addEventListener("click", async (event) => {
      // The link itself works too, but what is typed would be lost.
      event.preventDefault();
      try {
        await fetchLanguage(link.lang);
      } catch {
        return i18n.setText(byPart(document, "waiting"), "language_failed");
      }
      root.lang = link.lang;
      for (const each of links) each.removeAttribute("aria-current");
      link.setAttribute("aria-current", "true");
      history.replaceState(null, "", link.search);
      i18n.translator.setLanguage(link.lang);
      return i18n.updateAll(document);
    });
  }
}

/** Put what was shared into the form. @param {{text: string} | null} shared */
function fill(shared) {
  if (!shared) return;
  const field = byPart(document, "text");
  field.value = shared.text;
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

/** With a mouse and a keyboard; elsewhere the focus would raise a keyboard over the page. */
const isDesk = () => matchMedia("(hover: hover) and (pointer: fine)").matches;

async function start() {
  const given = takeFragment();
  const fetch = window.fetch.bind(window);
  const translations = makeTranslations(fetch, files);
  const spoken = { [root.lang]: await translations.load(root.lang) };
  const i18n = makeI18n(makeTranslator(spoken, root.lang));
  const waiting = makeWaitingMessage(byPart(document, "waiting"), i18n);
  const api = makeApi({ fetch, baseUrl: base, retry: { waiting } });
  const common = { api, i18n, copy: copyText };
  const load = makeLoadPanel({ ...common, root: byPart(document, "load-panel"), reader: makeReader({ api }) });
  const save = makeSavePanel({
    ...common,
    root: byPart(document, "save-panel"),
    saver: makeSaver({ api }),
    linkOf: (code, isSealed) => new URL(`#${linkFragment(code, isSealed)}`, base).href,
    wordList: translations.wordList,
  });

  /** @param {import("../core/limits.js").Limits} limits */
  const obey = (limits) => {
    save.applyLimits(limits);
    showServiceInfo(byPart(document, "service"), limits);
  };

  window.addEventListener("beforeunload", (event) => {
    if (load.isOnlyCopy()) event.preventDefault();
  });
  offerLanguages(i18n, async (language) => {
    spoken[language] ??= await translations.load(language);
  });
  window.addEventListener("hashchange", () => {
    const later = takeFragment();
    if (later) load.openCode(later);
  });
  if (given && given !== SHARE_FRAGMENT) load.openCode(given);
  else if (isDesk() && document.activeElement === document.body) save.focus();
  byPart(document, "incomplete").remove();
  // The service holds its own limits; without an answer the usual ones are shown.
  api.limits().then(obey, () => {});
  registerShareWorker(new URL("service-worker.js", base));
  if (given === SHARE_FRAGMENT) fill(await takeShared());
}

start().catch(() => {
  byPart(document, "incomplete").dataset.failed = "";
});
