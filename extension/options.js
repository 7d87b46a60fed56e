/** The settings page. What is changed is kept at once. */

import { PERMISSION } from "./browser/clipboard.js";
import { readBuildConfig } from "./browser/buildConfig.js";
import { makeWipe } from "./browser/wipe.js";
import { makeApi } from "./core/api.js";
import { USUAL_LIMITS, lifetimes } from "./core/limits.js";
import { leaveService } from "./core/session.js";
import { makeSettings, readServer } from "./core/settings.js";
import { makeAlert } from "./ui/alert.js";
import { makeCatalogues } from "./ui/catalogues.js";
import { onSubmit, byPart } from "./ui/dom.js";
import { makeTranslator } from "./ui/translator.js";
import { makeI18n } from "./ui/i18n.js";

/** @typedef {import("./core/settings.js").Settings} Settings */
/** @typedef {import("./ui/translator.js").Translator} Translator */

const find = (/** @type {string} */ name) => byPart(document, name);

async function start() {
  const settings = makeSettings(browser.storage.local, await readBuildConfig());
  const set = await settings.get();
  const catalogues = await makeCatalogues(fetch, import.meta.url).all();
  const translator = makeTranslator(makeI18n(catalogues, set.language || browser.i18n.getMessage("lang")));
  fill(set, translator);
  speak(translator);

  /** @param {Partial<Settings>} changed */
  async function change(changed) {
    await settings.change(changed);
    translator.clearText(find("settings-status"));
    translator.setText(find("settings-status"), "settings_kept");
  }

  makeServer(translator, change);
  onChange("default-lifetime", (field) => change({ lifetime: Number(field.value) }));
  onChange("keep-history", (field) => change({ history: field.checked }));
  onChange("language", async (field) => {
    const language = /** @type {Settings["language"]} */ (field.value);
    translator.i18n.use(language || browser.i18n.getMessage("lang"));
    speak(translator);
    await change({ language });
  });
  onChange("borrowed", async (field) => {
    // The first thing after the click: a browser asks for nothing later on. Refused, it is borrowed all the same.
    if (field.checked) await browser.permissions.request(PERMISSION).catch(() => false);
    await change({ borrowed: field.checked });
  });
  makeWipe(find("wipe"), translator);
}

/** @param {Settings} set @param {Translator} translator */
function fill(set, translator) {
  const { max } = USUAL_LIMITS.expires_in;
  const offered = lifetimes(USUAL_LIMITS).filter((seconds) => seconds <= max);
  find("default-lifetime").replaceChildren(...offered.map((seconds) => option(seconds, translator)));
  find("server").value = set.server;
  find("default-lifetime").value = String(set.lifetime);
  find("keep-history").checked = set.history;
  find("language").value = set.language;
  find("borrowed").checked = set.borrowed;
}

/** @param {number} seconds @param {Translator} translator */
function option(seconds, translator) {
  const made = document.createElement("option");
  made.value = String(seconds);
  translator.setText(made, "lifetime", (i18n) => ({ time: i18n.duration(seconds) }));
  return made;
}

/** @param {Translator} translator */
function speak(translator) {
  document.documentElement.lang = translator.i18n.language;
  translator.refresh(document);
}

/** @param {string} name @param {(field: HTMLInputElement) => Promise<void>} action */
function onChange(name, action) {
  const field = find(name);
  field.addEventListener("change", () => action(field));
}

/** @param {Translator} translator @param {(changed: Partial<Settings>) => Promise<void>} change */
function makeServer(translator, change) {
  const field = find("server");
  const status = find("server-status");
  const alert = makeAlert(find("server-alert"), translator);
  let kept = field.value;

  /** @returns {Promise<string | null>} the address, which is kept now; null where it is none */
  async function keep() {
    alert.clear();
    translator.clearText(status);
    const server = field.value.trim() === "" ? "" : readServer(field.value);
    if (server === null) {
      alert.say("bad_server", undefined, field);
      return null;
    }
    field.value = server;
    if (kept !== "" && server !== kept) await leaveService(browser.storage.session);
    kept = server;
    await change({ server });
    return server;
  }

  async function test() {
    const server = await keep();
    if (!server) return;
    try {
      const { max_text_bytes: bytes } = await makeApi({ fetch: (...given) => fetch(...given), baseUrl: server }).limits();
      translator.setText(status, "server_found", (i18n) => ({ most: i18n.number(Math.floor(bytes / 1024)) }));
    } catch (error) {
      alert.tell(error, field);
    }
  }

  onChange("server", async () => void (await keep()));
  onSubmit(find("server-form"), find("test-server"), test);
}

start();
