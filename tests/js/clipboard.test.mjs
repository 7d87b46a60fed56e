import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { CLEAR_ALARM, CLIPBOARD_PERMISSIONS, clearCopiedText, copyTemporarily } from "../../extension/browser/clipboard.js";
import { showSharedComputerNotice } from "../../extension/browser/sharedComputer.js";
import { installBrowser } from "./support/browser.mjs";
import { fakeI18n, installDocument } from "./support/document.mjs";

let browser;
let document;
let clipboard;

beforeEach(() => {
  browser = installBrowser();
  ({ document, clipboard } = installDocument());
});

test("a copied text is cleared by an alarm a minute later; only its hash is stored", async () => {
  assert.equal(await copyTemporarily("secret"), true);
  assert.equal(clipboard.text, "secret");
  assert.deepEqual(browser.calls, [["createAlarm", CLEAR_ALARM, { delayInMinutes: 1 }]]);
  assert.match(browser.storage.session.values.copied, /^[0-9a-f]{64}$/);
  await clearCopiedText();
  assert.equal(clipboard.text, "");
  assert.deepEqual(browser.storage.session.values, {});
});

test("a text with other line ends is still recognised", async () => {
  await copyTemporarily("one\r\ntwo\rthree");
  await clearCopiedText();
  assert.equal(clipboard.text, "");
});

test("what was copied elsewhere meanwhile stays, and is never compared again", async () => {
  await copyTemporarily("secret");
  clipboard.text = "another text";
  await clearCopiedText();
  assert.equal(clipboard.text, "another text");
  assert.deepEqual(browser.storage.session.values, {});
  clipboard.text = "secret";
  await clearCopiedText();
  assert.equal(clipboard.text, "secret");
});

test("the alarm and the hash are there before the text is copied: the popup may be closed by then", async () => {
  let before;
  globalThis.navigator.clipboard.writeText = async () => {
    before = [browser.calls.length, Object.keys(browser.storage.session.values)];
  };
  await copyTemporarily("secret");
  assert.deepEqual(before, [1, ["copied"]]);
});

test("the notice of a shared computer says that the clipboard stays, until the permission is given", async () => {
  await showSharedComputerNotice(fakeI18n);
  const [message, button] = ["shared-computer-message", "allow-clearing"].map(document.part);
  assert.deepEqual([message.textContent, button.hidden], ["shared_computer_notice_uncleared", false]);
  assert.equal(document.part("shared-computer-notice").hidden, false);
  browser.isPermissionGiven = false;
  await button.emit("click");
  assert.deepEqual([message.textContent, button.hidden], ["shared_computer_notice_uncleared", false]);
  browser.isPermissionGiven = true;
  await button.emit("click");
  assert.deepEqual([message.textContent, button.hidden], ["shared_computer_notice", true]);
  assert.deepEqual(browser.calls.at(-1), ["requestPermissions", CLIPBOARD_PERMISSIONS.permissions]);
});

test("a browser that refuses to ask for the permission changes nothing", async () => {
  browser.permissions.request = async () => Promise.reject(new Error("not from a click"));
  document.part("shared-computer-notice").hidden = true;
  await showSharedComputerNotice(fakeI18n);
  await document.part("allow-clearing").emit("click");
  assert.equal(document.part("shared-computer-message").textContent, "shared_computer_notice_uncleared");
  assert.equal(document.part("shared-computer-notice").hidden, false);
});

test("with the permission the notice asks for nothing", async () => {
  installBrowser({ granted: CLIPBOARD_PERMISSIONS.permissions });
  await showSharedComputerNotice(fakeI18n);
  assert.equal(document.part("shared-computer-message").textContent, "shared_computer_notice");
  assert.equal(document.part("allow-clearing").hidden, true);
});
