/** The popup: speaks a person's language and shows the panels for their service. */

import { tellBorrowed } from "./browser/borrowed.js";
import { adoptLegacy } from "./browser/legacy.js";
import { openPanels } from "./browser/panels.js";
import { readShipped } from "./browser/shipped.js";
import { makeWipe } from "./browser/wipe.js";
import { makeSettings } from "./core/settings.js";
import { makeCatalogues } from "./ui/catalogues.js";
import { part } from "./ui/dom.js";
import { insertPanel } from "./ui/fragments.js";
import { makeLabels } from "./ui/labels.js";
import { makeWords } from "./ui/words.js";

const { local } = browser.storage;
const find = (/** @type {string} */ name) => part(document, name);

async function start() {
  for (const name of ["settings", "choose-server"]) {
    find(name).addEventListener("click", () => browser.runtime.openOptionsPage());
  }
  const set = await makeSettings(local, await readShipped()).get();
  // In a tab it may be open while the settings are changed.
  local.onChanged.addListener(({ settings }) => settings && location.reload());
  const isInTab = (await browser.tabs.getCurrent()) !== undefined;
  document.documentElement.classList.toggle("in-tab", isInTab);
  const catalogues = makeCatalogues(fetch, import.meta.url);
  const labels = makeLabels(makeWords(await catalogues.all(), set.language || browser.i18n.getMessage("lang")));
  await speak(labels);
  for (const name of ["wipe", "wipe-now"]) makeWipe(find(name), labels);
  if (set.borrowed) await tellBorrowed(labels);
  find("choose").hidden = set.server !== "";
  find("panels").hidden = find("tabs").hidden = set.server === "";
  // Where there is no room for it, it stays where it is.
  await adoptLegacy().catch(() => {});
  if (set.server) await openPanels(set, labels, catalogues.wordList);
  document.documentElement.dataset.ready = "";
}

/** @param {import("./ui/labels.js").Labels} labels */
async function speak(labels) {
  document.documentElement.lang = labels.words.language;
  await Promise.all(["save", "load"].map((name) => insertPanel(find(`${name}-panel`), `ui/${name}.html`)));
  labels.renew(document);
}

start();
