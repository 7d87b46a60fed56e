/** What goes on without a popup: menus, shortcuts, notifications, the clipboard of a shared computer. It keeps no state. */

import { CLEAR_ALARM } from "./browser/clipboard.js";
import { NOTIFY_ALARM, askWhetherOpened } from "./browser/notify.js";
import { readSelection } from "./browser/page.js";
import { readBuildConfig } from "./browser/buildConfig.js";
import { newWrite } from "./core/saving.js";
import { LOAD_TAB, backgroundWriteItem, noticeItem, tabItem } from "./core/session.js";
import { makeSettings } from "./core/settings.js";

const MENUS = /** @type {const} */ ([
  { id: "selection", title: "menuSelection", contexts: ["selection"] },
  { id: "link", title: "menuLink", contexts: ["link"] },
  { id: "page", title: "menuPage", contexts: ["page"] },
]);

async function makeMenus() {
  // Firefox for Android has neither menus nor shortcuts.
  await browser.contextMenus?.removeAll();
  for (const { id, title, contexts } of MENUS) {
    browser.contextMenus?.create({ id, title: browser.i18n.getMessage(title), contexts: [...contexts] });
  }
}

const readSettings = async () => makeSettings(browser.storage.local, await readBuildConfig()).get();

/**
 * Show the popup, or where the browser does not let it, its page in a tab.
 * @param {chrome.tabs.Tab | undefined} tab where the user is
 */
async function show(tab) {
  try {
    await browser.action.openPopup();
  } catch {
    await browser.tabs.create({ url: tab?.id === undefined ? "popup.html" : `popup.html?tab=${tab.id}` });
  }
}

/** @typedef {{text?: string | null, notice?: string}} Found what is to be saved, and what to say about it */

/**
 * Leave a text for the popup, which saves it: one way for all texts.
 * @param {chrome.tabs.Tab | undefined} tab
 * @param {() => Promise<Found>} read
 */
async function hand(tab, read) {
  // First: what the click allows does not outlive an await.
  const shown = show(tab);
  const { text, notice } = await read();
  if (notice) await noticeItem(browser.storage.session).set(notice);
  if (text) {
    const { lifetime } = await readSettings();
    await backgroundWriteItem(browser.storage.session).set(newWrite({ text, expiresIn: lifetime }));
  }
  await shown;
}

/**
 * @param {chrome.contextMenus.OnClickData} info
 * @param {chrome.tabs.Tab} [tab]
 * @returns {Promise<Found>}
 */
async function textOf({ menuItemId, selectionText, linkUrl, pageUrl, frameId }, tab) {
  if (menuItemId === "link") return { text: linkUrl };
  if (menuItemId === "page") return { text: pageUrl };
  const text = tab?.id === undefined ? null : await readSelection(tab.id, frameId);
  if (text) return { text };
  // Chromium gives it in one line; where there are no spaces, no line can have been lost.
  return { text: selectionText, ...(/\s/.test(selectionText ?? "") && { notice: "lines_lost" }) };
}

/** @param {chrome.tabs.Tab} [tab] @returns {Promise<Found>} */
async function selectionOf(tab) {
  const text = tab?.id === undefined ? null : await readSelection(tab.id);
  if (text === null) return { notice: "selection_closed" };
  return text === "" ? { notice: "nothing_selected" } : { text };
}

/** @param {string} command @param {chrome.tabs.Tab} [tab] */
async function obey(command, tab) {
  if (command === "save-selection") {
    await hand(tab, () => selectionOf(tab));
  }
  if (command === "open-load") {
    // Both at once: the popup reads it when it is there.
    await Promise.all([tabItem(browser.storage.session).set(LOAD_TAB), show(tab)]);
  }
}

browser.alarms.onAlarm.addListener(async ({ name }) => {
  // Only a page may touch the clipboard; it closes itself.
  if (name === CLEAR_ALARM) await browser.tabs.create({ url: "clipboard.html", active: false });
  if (name === NOTIFY_ALARM) await askWhetherOpened(await readSettings());
});
browser.runtime.onInstalled.addListener(async ({ reason }) => {
  await makeMenus();
  const { server } = await readSettings();
  if (reason === "install" && !server) await browser.runtime.openOptionsPage();
});
// The browser may speak another language by now.
browser.runtime.onStartup.addListener(makeMenus);
browser.contextMenus?.onClicked.addListener((info, tab) => {
  hand(tab, () => textOf(info, tab));
});
browser.commands?.onCommand.addListener(obey);
