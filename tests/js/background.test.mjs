import assert from "node:assert/strict";
import { test } from "node:test";

/** A browser whose page gives this selection, null where it gives none; what was heard for and what was kept. */
async function background(start, selection, more = {}) {
  const heard = {};
  const kept = {};
  const event = (what) => ({ addListener: (listener) => void (heard[what] = listener) });
  const area = {
    get: async (key) => ({ [key]: kept[key] }),
    set: async (values) => void Object.assign(kept, values),
  };
  globalThis.browser = {
    action: { openPopup: async () => {} },
    alarms: { onAlarm: event("alarm") },
    runtime: { onInstalled: event("installed"), onStartup: event("startup"), getURL: (path) => path },
    scripting: {
      executeScript: async () => {
        if (selection === null) throw new Error("not here");
        return [{ result: selection }];
      },
    },
    storage: { session: area, local: { get: async () => ({}) } },
    ...more,
  };
  globalThis.browser.commands &&= { onCommand: event("command") };
  globalThis.browser.contextMenus &&= { onClicked: event("menu"), removeAll: async () => {}, create: () => {} };
  globalThis.fetch = async () => new Response(JSON.stringify({ server: "https://example.org/" }));
  await start();
  return { heard, kept };
}

test("without menus and shortcuts, as on Android, the background still clears the clipboard", async () => {
  const { heard } = await background(() => import("../../extension/background.js?android"), "");
  assert.deepEqual(Object.keys(heard), ["alarm", "installed", "startup"]);
});

const SHORTCUTS = [
  ["", "nothing_selected", () => import("../../extension/background.js?nothing")],
  [null, "selection_closed", () => import("../../extension/background.js?closed")],
  ["lines\nof text", undefined, () => import("../../extension/background.js?lines")],
];
const MENUS = [
  ["one two", "lines_lost", () => import("../../extension/background.js?lost")],
  ["https://example.org/", undefined, () => import("../../extension/background.js?whole")],
];

for (const [selection, notice, start] of SHORTCUTS) {
  test(`the shortcut with the selection ${JSON.stringify(selection)}`, async () => {
    const { heard, kept } = await background(start, selection, { commands: true });
    await heard.command("save-selection", { id: 1 });
    assert.equal(kept.notice, notice);
    assert.equal(kept.handed?.body.text, selection || undefined);
  });
}

for (const [text, notice, start] of MENUS) {
  test(`the menu in a frame that no extension may read: ${text}`, async () => {
    const { heard, kept } = await background(start, null, { contextMenus: true });
    await heard.menu({ menuItemId: "selection", selectionText: text, frameId: 3 }, { id: 1 });
    for (let turn = 0; turn < 20 && !kept.handed; turn += 1) await new Promise(setImmediate);
    assert.equal(kept.handed.body.text, text);
    assert.equal(kept.notice, notice);
  });
}
