/** The popup: shows the panels in the user's language. */

import { showSharedComputerNotice } from "./browser/sharedComputer.js";
import { importLegacy } from "./browser/legacy.js";
import { openPanels } from "./browser/panels.js";
import { readBuildConfig } from "./browser/buildConfig.js";
import { makeWipeButton, reloadAfterWipe } from "./browser/wipe.js";
import { makeSettings, parseServer } from "./core/settings.js";
import { makeAlert } from "./ui/alert.js";
import { makeTranslations } from "./ui/translations.js";
import { byPart } from "./ui/dom.js";
import { insertPanel } from "./ui/panelMarkup.js";
import { makeI18n } from "./ui/i18n.js";
import { makeTranslator } from "./ui/translator.js";

const { local } = browser.storage;
const byName = (/** @type {string} */ name) => byPart(document, name);

async function start() {
  for (const name of ["settings", "choose-server"]) {
    byName(name).addEventListener("click", () => browser.runtime.openOptionsPage());
  }
  const store = makeSettings(local, await readBuildConfig());
  const settings = await store.get();
  // In a tab it may be open while the settings are changed.
  local.onChanged.addListener(({ settings: changed }) => changed && location.reload());
  reloadAfterWipe();
  document.documentElement.classList.toggle("in-tab", await hasWholeWindow());
  const translations = makeTranslations(fetch, import.meta.url);
  const language = settings.language || browser.i18n.getMessage("lang");
  const i18n = makeI18n(makeTranslator({ [language]: await translations.load(language) }, language));
  await showLanguage(i18n);
  makeWipeButton(byName("wipe-now"), i18n);
  if (settings.sharedComputer) await showSharedComputerNotice(i18n);
  setUpFirstRun(i18n, store);
  byName("choose").hidden = settings.server !== "";
  byName("panels").hidden = byName("tabs").hidden = settings.server === "";
  // Where there is no room for it, it stays where it is.
  await importLegacy().catch(() => {});
  if (settings.server) await openPanels(settings, i18n, translations.wordList);
  document.documentElement.dataset.ready = "";
}

/**
 * Take the address of the service at the first run.
 * @param {import("./ui/i18n.js").I18n} i18n
 * @param {ReturnType<typeof makeSettings>} store
 */
function setUpFirstRun(i18n, store) {
  const field = byName("choose-field");
  const alert = makeAlert(byName("choose-alert"), i18n);
  byName("choose-form").addEventListener("submit", async (/** @type {Event} */ event) => {
    event.preventDefault();
    const server = parseServer(field.value);
    // Once it is stored the popup loads itself anew.
    if (server === null) alert.show("bad_server", undefined, field);
    else await store.change({ server });
  });
}

/** In a tab, and on Android, where a popup is as wide as the window. */
async function hasWholeWindow() {
  const { os } = await browser.runtime.getPlatformInfo();
  return os === "android" || (await browser.tabs.getCurrent()) !== undefined;
}

/** @param {import("./ui/i18n.js").I18n} i18n */
async function showLanguage(i18n) {
  document.documentElement.lang = i18n.translator.language;
  await Promise.all(["save", "load", "live"].map((name) => insertPanel(byName(`${name}-panel`), `ui/${name}.html`)));
  // Nobody who runs the service can change these scripts.
  byName("live-origin").remove();
  i18n.updateAll(document);
}

start();
