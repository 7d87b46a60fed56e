/** The popup: speaks a person's language and shows the panels for their service. */

import { showSharedComputerNotice } from "./browser/sharedComputer.js";
import { adoptLegacy } from "./browser/legacy.js";
import { openPanels } from "./browser/panels.js";
import { readBuildConfig } from "./browser/buildConfig.js";
import { makeWipe } from "./browser/wipe.js";
import { makeSettings } from "./core/settings.js";
import { makeCatalogues } from "./ui/catalogues.js";
import { byPart } from "./ui/dom.js";
import { insertPanel } from "./ui/fragments.js";
import { makeTranslator } from "./ui/translator.js";
import { makeI18n } from "./ui/i18n.js";

const { local } = browser.storage;
const find = (/** @type {string} */ name) => byPart(document, name);

async function start() {
  for (const name of ["settings", "choose-server"]) {
    find(name).addEventListener("click", () => browser.runtime.openOptionsPage());
  }
  const set = await makeSettings(local, await readBuildConfig()).get();
  // In a tab it may be open while the settings are changed.
  local.onChanged.addListener(({ settings }) => settings && location.reload());
  const isInTab = (await browser.tabs.getCurrent()) !== undefined;
  document.documentElement.classList.toggle("in-tab", isInTab);
  const catalogues = makeCatalogues(fetch, import.meta.url);
  const translator = makeTranslator(makeI18n(await catalogues.all(), set.language || browser.i18n.getMessage("lang")));
  await speak(translator);
  for (const name of ["wipe", "wipe-now"]) makeWipe(find(name), translator);
  if (set.borrowed) await showSharedComputerNotice(translator);
  find("choose").hidden = set.server !== "";
  find("panels").hidden = find("tabs").hidden = set.server === "";
  // Where there is no room for it, it stays where it is.
  await adoptLegacy().catch(() => {});
  if (set.server) await openPanels(set, translator, catalogues.wordList);
  document.documentElement.dataset.ready = "";
}

/** @param {import("./ui/translator.js").Translator} translator */
async function speak(translator) {
  document.documentElement.lang = translator.i18n.language;
  await Promise.all(["save", "load"].map((name) => insertPanel(find(`${name}-panel`), `ui/${name}.html`)));
  translator.refresh(document);
}

start();
