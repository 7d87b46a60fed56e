/** The settings page. What is changed is kept at once. */

import { PERMISSION } from "./browser/clipboard.js";
import { readShipped } from "./browser/shipped.js";
import { makeWipe } from "./browser/wipe.js";
import { makeApi } from "./core/api.js";
import { USUAL_LIMITS, lifetimes } from "./core/limits.js";
import { leaveService } from "./core/session.js";
import { makeSettings, readServer } from "./core/settings.js";
import { makeAlert } from "./ui/alert.js";
import { makeCatalogues } from "./ui/catalogues.js";
import { onSubmit, part } from "./ui/dom.js";
import { makeLabels } from "./ui/labels.js";
import { makeWords } from "./ui/words.js";

/** @typedef {import("./core/settings.js").Settings} Settings */
/** @typedef {import("./ui/labels.js").Labels} Labels */

const find = (/** @type {string} */ name) => part(document, name);

async function start() {
  const settings = makeSettings(browser.storage.local, await readShipped());
  const set = await settings.get();
  const catalogues = await makeCatalogues(fetch, import.meta.url).all();
  const labels = makeLabels(makeWords(catalogues, set.language || browser.i18n.getMessage("lang")));
  fill(set, labels);
  speak(labels);

  /** @param {Partial<Settings>} changed */
  async function change(changed) {
    await settings.change(changed);
    labels.clear(find("settings-status"));
    labels.put(find("settings-status"), "settings_kept");
  }

  makeServer(labels, change);
  hear("default-lifetime", (field) => change({ lifetime: Number(field.value) }));
  hear("keep-history", (field) => change({ history: field.checked }));
  hear("language", async (field) => {
    const language = /** @type {Settings["language"]} */ (field.value);
    labels.words.use(language || browser.i18n.getMessage("lang"));
    speak(labels);
    await change({ language });
  });
  hear("borrowed", async (field) => {
    // The first thing after the click: a browser asks for nothing later on. Refused, it is borrowed all the same.
    if (field.checked) await browser.permissions.request(PERMISSION).catch(() => false);
    await change({ borrowed: field.checked });
  });
  makeWipe(find("wipe"), labels);
}

/** @param {Settings} set @param {Labels} labels */
function fill(set, labels) {
  const { max } = USUAL_LIMITS.expires_in;
  const offered = lifetimes(USUAL_LIMITS).filter((seconds) => seconds <= max);
  find("default-lifetime").replaceChildren(...offered.map((seconds) => option(seconds, labels)));
  find("server").value = set.server;
  find("default-lifetime").value = String(set.lifetime);
  find("keep-history").checked = set.history;
  find("language").value = set.language;
  find("borrowed").checked = set.borrowed;
}

/** @param {number} seconds @param {Labels} labels */
function option(seconds, labels) {
  const made = document.createElement("option");
  made.value = String(seconds);
  labels.put(made, "lifetime", (words) => ({ time: words.duration(seconds) }));
  return made;
}

/** @param {Labels} labels */
function speak(labels) {
  document.documentElement.lang = labels.words.language;
  labels.renew(document);
}

/** @param {string} name @param {(field: HTMLInputElement) => Promise<void>} deed */
function hear(name, deed) {
  const field = find(name);
  field.addEventListener("change", () => deed(field));
}

/** @param {Labels} labels @param {(changed: Partial<Settings>) => Promise<void>} change */
function makeServer(labels, change) {
  const field = find("server");
  const status = find("server-status");
  const alert = makeAlert(find("server-alert"), labels);
  let kept = field.value;

  /** @returns {Promise<string | null>} the address, which is kept now; null where it is none */
  async function keep() {
    alert.clear();
    labels.clear(status);
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
      labels.put(status, "server_found", (words) => ({ most: words.number(Math.floor(bytes / 1024)) }));
    } catch (error) {
      alert.tell(error, field);
    }
  }

  hear("server", async () => void (await keep()));
  onSubmit(find("server-form"), find("test-server"), test);
}

start();
