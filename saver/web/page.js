/** The page at `/`: wires the panels to the service that it came from. */

import { makeApi } from "../core/api.js";
import { makeReader } from "../core/reading.js";
import { makeSaver } from "../core/saving.js";
import { makeCatalogues } from "../ui/catalogues.js";
import { copyText, part } from "../ui/dom.js";
import { makeLabels } from "../ui/labels.js";
import { makeLoadPanel } from "../ui/load.js";
import { makeSavePanel } from "../ui/save.js";
import { showService } from "../ui/service.js";
import { makeWaiting } from "../ui/waiting.js";
import { makeWords } from "../ui/words.js";

const base = new URL("../", import.meta.url);
const root = document.documentElement;

/** Take the fragment out of the address bar and the history: it is a code. */
function takeFragment() {
  const { hash, pathname, search } = location;
  if (hash) history.replaceState(null, "", pathname + search);
  try {
    return decodeURIComponent(hash.slice(1));
  } catch {
    return hash.slice(1);
  }
}

/** @param {import("../ui/labels.js").Labels} labels */
function offerLanguages(labels) {
  const links = /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll("nav a"));
  for (const link of links) {
    link.addEventListener("click", (event) => {
      // The link itself works too, but what is typed would be lost.
      event.preventDefault();
      root.lang = link.lang;
      for (const each of links) each.removeAttribute("aria-current");
      link.setAttribute("aria-current", "true");
      history.replaceState(null, "", link.search);
      labels.words.use(link.lang);
      labels.renew(document);
    });
  }
}

/** With a mouse and a keyboard; elsewhere the focus would raise a keyboard over the page. */
const isDesk = () => matchMedia("(hover: hover) and (pointer: fine)").matches;

async function start() {
  const given = takeFragment();
  const fetch = window.fetch.bind(window);
  const catalogues = makeCatalogues(fetch, base);
  const labels = makeLabels(makeWords(await catalogues.all(), root.lang));
  const waiting = makeWaiting(part(document, "waiting"), labels);
  const api = makeApi({ fetch, baseUrl: base, patience: { waiting } });
  const common = { api, labels, copy: copyText };
  const load = makeLoadPanel({ ...common, root: part(document, "load-panel"), reader: makeReader({ api }) });
  const save = makeSavePanel({
    ...common,
    root: part(document, "save-panel"),
    saver: makeSaver({ api }),
    linkOf: (code) => new URL(`#${code}`, base).href,
    wordList: catalogues.wordList,
  });

  /** @param {import("../core/limits.js").Limits} limits */
  const obey = (limits) => {
    save.obey(limits);
    showService(part(document, "service"), limits);
  };

  offerLanguages(labels);
  window.addEventListener("hashchange", () => {
    const later = takeFragment();
    if (later) load.open(later);
  });
  if (given) load.open(given);
  else if (isDesk() && document.activeElement === document.body) save.focus();
  // The service holds its own limits; without an answer the usual ones are shown.
  api.limits().then(obey, () => {});
}

start();
