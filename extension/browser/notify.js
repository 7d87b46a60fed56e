/** A notification when the saved text is opened: the service is asked each minute, also while no popup is open. */

import { makeApi } from "../core/api.js";
import { NoText } from "../core/errors.js";
import { makeSession } from "../core/session.js";
import { makeTranslations } from "../ui/translations.js";
import { makeTranslator } from "../ui/translator.js";

/** @typedef {import("../core/settings.js").Settings} Settings */
/** @typedef {import("../core/session.js").StoredCode} StoredCode */

/** The name of the alarm that asks the service. */
export const NOTIFY_ALARM = "ask-whether-opened";

/**
 * Requested when the user wants to be told.
 * @type {{permissions: ["notifications"]}}
 */
export const NOTIFY_PERMISSIONS = { permissions: ["notifications"] };

const EVERY_MINUTES = 1;

/** @param {Settings} settings */
const isWanted = ({ notify, sharedComputer, server }) => notify && !sharedComputer && server !== "";

/** The code that was saved last, while it is shown; null on a shared computer, where it is not kept. */
const savedCodeItem = () => makeSession(browser.storage.session, false).savedCode;

/** Ask from now on, if the user wants that and there is something to ask for. @param {Settings} settings */
export async function startAsking(settings) {
  const saved = await savedCodeItem().get();
  if (!isWanted(settings) || !saved?.ownerToken || saved.isOpened) return;
  await browser.alarms.create(NOTIFY_ALARM, { periodInMinutes: EVERY_MINUTES });
}

/** Until the next text is saved. */
export const stopAsking = () => browser.alarms.clear(NOTIFY_ALARM);

/** The user knows by now that this text was opened. @param {string} code */
async function markOpened(code) {
  const item = savedCodeItem();
  const saved = await item.get();
  if (saved?.code !== code || saved.isOpened) return;
  await item.set({ ...saved, isOpened: true });
  await stopAsking();
}

/**
 * What a receipt in an open popup says needs no notification.
 * @template {Pick<ReturnType<typeof makeApi>, "status">} T
 * @param {T} api
 * @returns {T} the same, noting which text was opened
 */
export function noteOpened(api) {
  return {
    ...api,
    async status(code, ownerToken) {
      const receipt = await api.status(code, ownerToken);
      if (receipt.firstLoadedAt !== null) await markOpened(code);
      return receipt;
    },
  };
}

/** Ask once; show a notification when the text was opened. @param {Settings} settings */
export async function askWhetherOpened(settings) {
  const saved = await savedCodeItem().get();
  // The permission can be taken back in the browser's own settings.
  const canNotify = isWanted(settings) && (await browser.permissions.contains(NOTIFY_PERMISSIONS));
  if (!canNotify || !saved?.ownerToken || saved.isOpened) {
    await stopAsking();
    return;
  }
  const outcome = await outcomeOf(saved, settings);
  if (outcome === "opened") {
    // First: it is shown once at most.
    await markOpened(saved.code);
    await notify(saved.code, settings);
  }
  if (outcome === "ended") await stopAsking();
}

/** @param {StoredCode} saved @param {Settings} settings @returns {Promise<"opened" | "ended" | "waiting">} */
async function outcomeOf({ code, ownerToken }, { server }) {
  // The next minute is soon enough to ask again.
  const api = makeApi({ fetch: (...request) => fetch(...request), baseUrl: server, retry: { pauses: [] } });
  try {
    const { state, firstLoadedAt } = await api.status(code, ownerToken);
    // The note of a reading can be lost; a text that was read was opened.
    if (firstLoadedAt !== null || state === "read") return "opened";
    return state === "expired" || state === "deleted" ? "ended" : "waiting";
  } catch (error) {
    return error instanceof NoText ? "ended" : "waiting";
  }
}

/** @param {string} code @param {Settings} settings */
async function notify(code, settings) {
  const language = settings.language || browser.i18n.getMessage("lang");
  const translations = makeTranslations((...request) => fetch(...request), browser.runtime.getURL("/"));
  const { t } = makeTranslator({ [language]: await translations.load(language) }, language);
  await browser.notifications.create(`opened-${code}`, {
    type: "basic",
    iconUrl: browser.runtime.getURL("icons/128.png"),
    title: "saver",
    message: t("notify_opened", { code }),
  });
}
