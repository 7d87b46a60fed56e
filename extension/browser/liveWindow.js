/** A live transfer needs a page that stays open: a popup closes with every click elsewhere. */

import { liveRequestItem } from "../core/session.js";

const PAGE = "popup.html?live";
// In CSS pixels.
const SIZE = { width: 520, height: 680 };

/** Whether this page is the one for live transfers. */
export const isLiveWindow = () => new URLSearchParams(location.search).has("live");

/** Hand over what a user has asked for, never in an address. @param {import("../ui/liveEntry.js").LiveRequest} request */
export async function openLiveWindow(request) {
  await liveRequestItem(browser.storage.session).set(request);
  // Android has tabs only.
  if (browser.windows) await browser.windows.create({ type: "popup", url: PAGE, ...SIZE });
  else await browser.tabs.create({ url: PAGE });
  // A popup closes by then; a tab is the user's.
  if (!document.documentElement.classList.contains("in-tab")) window.close();
}

/** What this page was opened for; null after a reload. */
export async function takeLiveRequest() {
  const item = liveRequestItem(browser.storage.session);
  const request = await item.get();
  await item.set(null);
  return request;
}
