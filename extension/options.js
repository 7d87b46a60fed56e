/** The settings page. Every change is stored at once. */

import { CLIPBOARD_PERMISSIONS } from "./browser/clipboard.js";
import { NOTIFY_PERMISSIONS, startAsking, stopAsking } from "./browser/notify.js";
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

/** @typedef {(name: string, changed: Partial<Settings>) => Promise<void>} Change stores it, and says so beside the field */

const byName = (/** @type {string} */ name) => byPart(document, name);

async function start() {
  const store = makeSettings(browser.storage.local, await readBuildConfig());
  const settings = await store.get();
  const translations = await makeTranslations(fetch, import.meta.url).loadAll();
  const i18n = makeI18n(makeTranslator(translations, settings.language || browser.i18n.getMessage("lang")));
  const canNotify = await browser.permissions.contains(NOTIFY_PERMISSIONS);
  fillForm({ ...settings, notify: settings.notify && canNotify }, i18n);
  showLanguage(i18n);

  /** @type {Change} */
  async function change(name, changed) {
    await store.change(changed);
    for (const each of document.querySelectorAll(".status")) i18n.clearText(/** @type {HTMLElement} */ (each));
    i18n.setText(byName(`${name}-status`), "settings_saved");
  }

  setUpServerForm(i18n, change);
  onChange("default-lifetime", (field) => change("default-lifetime", { lifetime: Number(field.value) }));
  onChange("keep-history", (field) => change("keep-history", { history: field.checked }));
  onChange("language", async (field) => {
    const language = /** @type {Settings["language"]} */ (field.value);
    i18n.translator.setLanguage(language || browser.i18n.getMessage("lang"));
    showLanguage(i18n);
    await change("language", { language });
  });
  onChange("notify", async (field) => {
    // Refused, it stays off.
    if (field.checked) field.checked = await request(NOTIFY_PERMISSIONS);
    await change("notify", { notify: field.checked });
    if (field.checked) await startAsking(await store.get());
    else await stopAsking();
  });
  onChange("shared-computer", async (field) => {
    // The setting does not depend on the answer.
    if (field.checked) await request(CLIPBOARD_PERMISSIONS);
    await change("shared-computer", { sharedComputer: field.checked });
  });
  makeWipeButton(byName("wipe"), i18n);
}

/**
 * Ask for a permission: the first thing after the click, as a browser asks for nothing later on.
 * @param {chrome.permissions.Permissions} wanted
 */
const request = (wanted) => browser.permissions.request(wanted).catch(() => false);

/** @param {Settings} settings @param {I18n} i18n */
function fillForm(settings, i18n) {
  const { max } = DEFAULT_LIMITS.expires_in;
  const offered = lifetimeChoices(DEFAULT_LIMITS).filter((seconds) => seconds <= max);
  byName("default-lifetime").replaceChildren(...offered.map((seconds) => option(seconds, i18n)));
  byName("server").value = settings.server;
  byName("default-lifetime").value = String(settings.lifetime);
  byName("keep-history").checked = settings.history;
  byName("language").value = settings.language;
  byName("notify").checked = settings.notify;
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

/** @param {I18n} i18n @param {Change} change */
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
    await change("server", { server });
    return server;
  }

  async function test() {
    const server = await save();
    if (!server) return;
    try {
      const { max_text_bytes: bytes } = await makeApi({ fetch: (...request) => fetch(...request), baseUrl: server }).limits();
      i18n.setText(status, "server_found", (translator) => ({ most: translator.size(bytes) }));
    } catch (error) {
      alert.showError(error, field);
    }
  }

  onChange("server", async () => void (await save()));
  onSubmit(byName("server-form"), byName("test-server"), test);
}

start();
