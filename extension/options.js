/** The settings page. Every change is stored at once. */

import { CLIPBOARD_PERMISSIONS } from "./browser/clipboard.js";
import { readBuildConfig } from "./browser/buildConfig.js";
import { makeWipeButton } from "./browser/wipe.js";
import { makeApi } from "./core/api.js";
import { DEFAULT_LIMITS, lifetimeChoices } from "./core/limits.js";
import { clearServiceData } from "./core/session.js";
import { makeSettings, parseServer } from "./core/settings.js";
import { makeAlert } from "./ui/alert.js";
import { makeTranslations } from "./ui/translations.js";
import { onSubmit, byPart } from "./ui/dom.js";
import { makeI18n } from "./ui/i18n.js";
import { makeTranslator } from "./ui/translator.js";

/** @typedef {import("./core/settings.js").Settings} Settings */
/** @typedef {import("./ui/i18n.js").I18n} I18n */

const byName = (/** @type {string} */ name) => byPart(document, name);

async function start() {
  const store = makeSettings(browser.storage.local, await readBuildConfig());
  const settings = await store.get();
  const translations = await makeTranslations(fetch, import.meta.url).loadAll();
  const i18n = makeI18n(makeTranslator(translations, settings.language || browser.i18n.getMessage("lang")));
  fillForm(settings, i18n);
  showLanguage(i18n);

  /** @param {Partial<Settings>} changed */
  async function change(changed) {
    await store.change(changed);
    i18n.clearText(byName("settings-status"));
    i18n.setText(byName("settings-status"), "settings_saved");
  }

  setUpServerForm(i18n, change);
  onChange("default-lifetime", (field) => change({ lifetime: Number(field.value) }));
  onChange("keep-history", (field) => change({ history: field.checked }));
  onChange("language", async (field) => {
    const language = /** @type {Settings["language"]} */ (field.value);
    i18n.translator.setLanguage(language || browser.i18n.getMessage("lang"));
    showLanguage(i18n);
    await change({ language });
  });
  onChange("shared-computer", async (field) => {
    // The first thing after the click: a browser asks for nothing later on. The setting does not depend on the answer.
    if (field.checked) await browser.permissions.request(CLIPBOARD_PERMISSIONS).catch(() => false);
    await change({ sharedComputer: field.checked });
  });
  makeWipeButton(byName("wipe"), i18n);
}

/** @param {Settings} settings @param {I18n} i18n */
function fillForm(settings, i18n) {
  const { max } = DEFAULT_LIMITS.expires_in;
  const offered = lifetimeChoices(DEFAULT_LIMITS).filter((seconds) => seconds <= max);
  byName("default-lifetime").replaceChildren(...offered.map((seconds) => option(seconds, i18n)));
  byName("server").value = settings.server;
  byName("default-lifetime").value = String(settings.lifetime);
  byName("keep-history").checked = settings.history;
  byName("language").value = settings.language;
  byName("shared-computer").checked = settings.sharedComputer;
}

/** @param {number} seconds @param {I18n} i18n */
function option(seconds, i18n) {
  const element = document.createElement("option");
  element.value = String(seconds);
  i18n.setText(element, "lifetime", (translator) => ({ time: translator.duration(seconds) }));
  return element;
}

/** @param {I18n} i18n */
function showLanguage(i18n) {
  document.documentElement.lang = i18n.translator.language;
  i18n.updateAll(document);
}

/** @param {string} name @param {(field: HTMLInputElement) => Promise<void>} handler */
function onChange(name, handler) {
  const field = byName(name);
  field.addEventListener("change", () => handler(field));
}

/** @param {I18n} i18n @param {(changed: Partial<Settings>) => Promise<void>} change */
function setUpServerForm(i18n, change) {
  const field = byName("server");
  const status = byName("server-status");
  const alert = makeAlert(byName("server-alert"), i18n);
  let savedServer = field.value;

  /** @returns {Promise<string | null>} the stored address; null if the input is not one */
  async function save() {
    alert.clear();
    i18n.clearText(status);
    const server = field.value.trim() === "" ? "" : parseServer(field.value);
    if (server === null) {
      alert.show("bad_server", undefined, field);
      return null;
    }
    field.value = server;
    if (savedServer !== "" && server !== savedServer) await clearServiceData(browser.storage.session);
    savedServer = server;
    await change({ server });
    return server;
  }

  async function test() {
    const server = await save();
    if (!server) return;
    try {
      const { max_text_bytes: bytes } = await makeApi({ fetch: (...request) => fetch(...request), baseUrl: server }).limits();
      i18n.setText(status, "server_found", (translator) => ({ most: translator.number(Math.floor(bytes / 1024)) }));
    } catch (error) {
      alert.showError(error, field);
    }
  }

  onChange("server", async () => void (await save()));
  onSubmit(byName("server-form"), byName("test-server"), test);
}

start();
