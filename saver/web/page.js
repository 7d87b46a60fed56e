/** The page at `/`: wires the panels to the service that it came from. */

import { makeApi } from "../core/api.js";
import { fragmentOf } from "../core/pasted.js";
import { makeReader } from "../core/reading.js";
import { makeSaver } from "../core/saving.js";
import { makeCatalogues } from "../ui/catalogues.js";
import { copyText, byPart } from "../ui/dom.js";
import { makeTranslator } from "../ui/translator.js";
import { makeLoadPanel } from "../ui/load.js";
import { makeSavePanel } from "../ui/save.js";
import { showService } from "../ui/service.js";
import { makeWaiting } from "../ui/waiting.js";
import { makeI18n } from "../ui/i18n.js";

const base = new URL("../", import.meta.url);
const root = document.documentElement;

/** Take the fragment out of the address bar and the history: it is a code. */
function takeFragment() {
  const { hash, pathname, search } = location;
  if (hash) history.replaceState(null, "", pathname + search);
  return hash;
}

/**
 * @param {import("../ui/translator.js").Translator} translator
 * @param {(language: string) => Promise<void>} fetchLanguage
 */
function offerLanguages(translator, fetchLanguage) {
  const links = /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll("nav a"));
  for (const link of links) {
    link.addEventListener("click", async (event) => {
      // The link itself works too, but what is typed would be lost.
      event.preventDefault();
      try {
        await fetchLanguage(link.lang);
      } catch {
        return translator.setText(byPart(document, "waiting"), "language_failed");
      }
      root.lang = link.lang;
      for (const each of links) each.removeAttribute("aria-current");
      link.setAttribute("aria-current", "true");
      history.replaceState(null, "", link.search);
      translator.i18n.use(link.lang);
      return translator.refresh(document);
    });
  }
}

/** With a mouse and a keyboard; elsewhere the focus would raise a keyboard over the page. */
const isDesk = () => matchMedia("(hover: hover) and (pointer: fine)").matches;

async function start() {
  const given = takeFragment();
  const fetch = window.fetch.bind(window);
  const catalogues = makeCatalogues(fetch, base);
  const spoken = { [root.lang]: await catalogues.read(root.lang) };
  const translator = makeTranslator(makeI18n(spoken, root.lang));
  const waiting = makeWaiting(byPart(document, "waiting"), translator);
  const api = makeApi({ fetch, baseUrl: base, retry: { waiting } });
  const common = { api, translator, copy: copyText };
  const load = makeLoadPanel({ ...common, root: byPart(document, "load-panel"), reader: makeReader({ api }) });
  const save = makeSavePanel({
    ...common,
    root: byPart(document, "save-panel"),
    saver: makeSaver({ api }),
    linkOf: (code, isSealed) => new URL(`#${fragmentOf(code, isSealed)}`, base).href,
    wordList: catalogues.wordList,
  });

  /** @param {import("../core/limits.js").Limits} limits */
  const applyLimits = (limits) => {
    save.applyLimits(limits);
    showService(byPart(document, "service"), limits);
  };

  window.addEventListener("beforeunload", (event) => {
    if (load.isOnlyHere()) event.preventDefault();
  });
  offerLanguages(translator, async (language) => {
    spoken[language] ??= await catalogues.read(language);
  });
  window.addEventListener("hashchange", () => {
    const later = takeFragment();
    if (later) load.open(later);
  });
  if (given) load.open(given);
  else if (isDesk() && document.activeElement === document.body) save.focus();
  byPart(document, "incomplete").remove();
  // The service holds its own limits; without an answer the usual ones are shown.
  api.limits().then(applyLimits, () => {});
}

start().catch(() => {
  byPart(document, "incomplete").dataset.failed = "";
});
