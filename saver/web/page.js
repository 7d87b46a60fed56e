/** The page at `/`: wires the panels to the service that it came from. */

import { makeApi } from "../core/api.js";
import { makeLabels } from "../ui/labels.js";
import { makeLoadPanel } from "../ui/load.js";
import { makeSavePanel } from "../ui/save.js";
import { showService } from "../ui/service.js";
import { LANGUAGES, makeWords } from "../ui/words.js";
import { part } from "../ui/dom.js";

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

/** @param {string} language @returns {Promise<[string, Record<string, string>]>} */
async function catalogueOf(language) {
  const response = await fetch(new URL(`ui/${language}.json`, base));
  return [language, await response.json()];
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
  const catalogues = Object.fromEntries(await Promise.all(LANGUAGES.map(catalogueOf)));
  const labels = makeLabels(makeWords(catalogues, root.lang));
  const api = makeApi({ fetch: window.fetch.bind(window), baseUrl: base });
  const linkOf = (/** @type {string} */ code) => new URL(`#${code}`, base).href;
  const load = makeLoadPanel({ root: part(document, "load-panel"), api, labels });
  const save = makeSavePanel({ root: part(document, "save-panel"), api, labels, linkOf });

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
