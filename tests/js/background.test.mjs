import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { CLEAR_ALARM } from "../../extension/browser/clipboard.js";
import { installBrowser } from "./support/browser.mjs";

const SERVER = { server: "https://example.org/" };
const TAB = { id: 1 };

/** The browser that the background script has added its listeners to. */
const first = installBrowser();
await import("../../extension/background.js");

let browser;

/** A browser that has just started: nothing is stored, and the listeners are there. */
function start(options = {}) {
  browser = installBrowser({ serviceJson: SERVER, ...options });
  browser.alarms.onAlarm = first.alarms.onAlarm;
  browser.commands.onCommand = first.commands.onCommand;
  browser.contextMenus.onClicked = first.contextMenus.onClicked;
  browser.runtime.onInstalled = first.runtime.onInstalled;
  browser.runtime.onStartup = first.runtime.onStartup;
}

beforeEach(() => start());

/** A page whose selection this is; null for one that no extension may read. */
function select(selection) {
  browser.script = async () => {
    if (selection === null) throw new Error("cannot access this page");
    return [{ result: selection }];
  };
}

const session = () => browser.storage.session.values;
const called = (name) => browser.calls.filter(([each]) => each === name).map(([, ...values]) => values);

async function menu(info, tab = TAB) {
  await browser.contextMenus.onClicked.emit(info, tab);
  for (let count = 0; count < 20 && !session().handed; count += 1) await new Promise(setImmediate);
}

test("without menus and shortcuts, as on Android, the background still clears the clipboard", async () => {
  browser = installBrowser();
  Object.assign(browser, { commands: undefined, contextMenus: undefined });
  await import("../../extension/background.js?android");
  const { alarms, runtime } = browser;
  assert.deepEqual([alarms.onAlarm.count, runtime.onInstalled.count, runtime.onStartup.count], [1, 1, 1]);
  await runtime.onStartup.emit();
  await alarms.onAlarm.emit({ name: CLEAR_ALARM });
  assert.deepEqual(called("createTab"), [[{ url: "clipboard.html", active: false }]]);
});

test("another alarm opens nothing", async () => {
  await browser.alarms.onAlarm.emit({ name: "wake" });
  assert.deepEqual(browser.calls, []);
});

for (const [selection, notice] of [["", "nothing_selected"], [null, "selection_closed"], ["lines\nof text", undefined]]) {
  test(`the shortcut with the selection ${JSON.stringify(selection)}`, async () => {
    select(selection);
    await browser.commands.onCommand.emit("save-selection", TAB);
    assert.equal(session().notice, notice);
    assert.equal(session().handed?.body.text, selection || undefined);
    assert.deepEqual(called("openPopup"), [[]]);
  });
}

test("the shortcut without a tab finds no selection", async () => {
  await browser.commands.onCommand.emit("save-selection", undefined);
  assert.equal(session().notice, "selection_closed");
});

for (const [text, notice] of [["one two", "lines_lost"], ["https://example.org/", undefined]]) {
  test(`the menu in a frame that no extension may read: ${text}`, async () => {
    select(null);
    await menu({ menuItemId: "selection", selectionText: text, frameId: 3 });
    assert.equal(session().handed.body.text, text);
    assert.equal(session().notice, notice);
  });
}

test("the menu reads the selection with its lines, in its frame", async () => {
  select("one\ntwo");
  await menu({ menuItemId: "selection", selectionText: "one two", frameId: 3 });
  assert.equal(session().handed.body.text, "one\ntwo");
  assert.equal(session().notice, undefined);
  assert.deepEqual(called("executeScript")[0][0].target, { tabId: 1, frameIds: [3] });
});

test("the menu of a link and of a page saves the address", async () => {
  const info = { linkUrl: "https://example.org/link", pageUrl: "https://example.org/page" };
  for (const item of ["link", "page"]) {
    delete session().handed;
    await menu({ menuItemId: item, ...info });
    assert.equal(session().handed.body.text, `https://example.org/${item}`);
  }
});

test("a text is saved for the lifetime of the settings", async () => {
  start({ local: { settings: { lifetime: 10_800 } } });
  select("text");
  await browser.commands.onCommand.emit("save-selection", TAB);
  assert.equal(session().handed.body.expiresIn, 10_800);
  assert.match(session().handed.key, /^[0-9a-f-]{36}$/);
});

for (const [tab, url] of [[TAB, "popup.html?tab=1"], [undefined, "popup.html"]]) {
  test(`where no popup opens its page does: ${url}`, async () => {
    browser.action.openPopup = async () => Promise.reject(new Error("no window"));
    await browser.commands.onCommand.emit("open-load", tab);
    assert.deepEqual(called("createTab"), [[{ url }]]);
    assert.equal(session().tab, "tab-load");
  });
}

test("the popup is asked for before anything is awaited: a click does not count for longer", () => {
  browser.commands.onCommand.emit("save-selection", TAB);
  assert.deepEqual(called("openPopup"), [[]]);
});

test("an installation makes the menus anew, and so does a start of the browser", async () => {
  await browser.runtime.onInstalled.emit({ reason: "update" });
  await browser.runtime.onStartup.emit();
  const items = called("createMenu").map(([{ id, title, contexts }]) => [id, title, contexts]);
  const expected = [
    ["selection", "message menuSelection", ["selection"]],
    ["link", "message menuLink", ["link"]],
    ["page", "message menuPage", ["page"]],
  ];
  assert.deepEqual(items, [...expected, ...expected]);
  assert.equal(called("removeMenus").length, 2);
});

for (const [server, reason, opened] of [["", "install", 1], ["", "update", 0], [SERVER.server, "install", 0]]) {
  test(`with the server ${JSON.stringify(server)} the event ${reason} opens the settings ${opened} times`, async () => {
    start({ serviceJson: { server } });
    await browser.runtime.onInstalled.emit({ reason });
    assert.equal(called("openOptions").length, opened);
  });
}
