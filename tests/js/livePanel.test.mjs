/** The buttons and the panel of live transfers, with a flow that the test decides. */

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Unreachable } from "../../extension/core/errors.js";
import { BadService, Cancelled, MeetingEnded, OtherRole, SameLetters, WrongLetters } from "../../extension/core/liveErrors.js";
import { makeLiveItems } from "../../extension/core/session.js";
import { makeLiveEntry } from "../../extension/ui/liveEntry.js";
import { makeLivePanel } from "../../extension/ui/livePanel.js";
import { fakeI18n, installDocument, settled } from "./support/document.mjs";

const TYPED = { number: 7, letters: "wUrp" };

let part;
let document;
/** What was asked of the flow, of the panels and of the service, in order. */
let events;
/** The text in the form, and whether the browser has the curve. */
let text;
let canTransfer;
/** How the transfer goes on and ends. */
let onState;
let finish;
let fail;
let cancelled;
let endsAt;
let receipt;
let items;
let entry;
let elsewhere;

function begin(name, isMaker, role, given) {
  events.push([name, given]);
  cancelled = false;
  const done = new Promise((resolve, reject) => {
    finish = resolve;
    fail = reject;
  });
  done.catch(() => {});
  return { liveCode: "7 wUrp", isMaker, role, endsAt, done, cancel: () => void (cancelled = true) };
}

const flow = {
  canTransferLive: async () => canTransfer,
  makeLive: () => ({
    async handOver(given) {
      ({ onState } = given);
      return begin("handOver", true, "sender", given.text);
    },
    async receiveHere(given) {
      ({ onState } = given);
      return begin("receiveHere", true, "receiver");
    },
    async joinLive(liveCode, given) {
      ({ onState } = given);
      return begin("joinLive", false, given.text === undefined ? "receiver" : "sender", given.text);
    },
    async resume(given) {
      ({ onState } = given);
      return begin("resume", true, "sender");
    },
  }),
};

beforeEach(() => {
  ({ document } = installDocument());
  ({ part } = document);
  events = [];
  text = "hello";
  canTransfer = true;
  endsAt = Date.now() + 600_000;
  receipt = { state: "read" };
  elsewhere = undefined;
  items = makeLiveItems({}, true);
  const note = (name) => (...given) => void events.push([name, ...given]);
  const save = {
    checkedText: () => text || null,
    isEmpty: () => text === "",
    focus: () => part("text").focus(),
    say: note("save says"),
    clearText: note("clear"),
    offerPassword: note("password"),
  };
  const load = {
    say: (key) => events.push(["load says", key]),
    focus: () => part("code-field").focus(),
    fill: note("fill"),
    clearCode: note("clear code"),
    showReceived: async (shown) => void events.push(["shown", shown.code, shown.text]),
  };
  const api = { status: async () => receipt };
  const options = { root: document, i18n: fakeI18n, api, service: "https://example.org/", items, save, load };
  const start = (more) => {
    entry = makeLiveEntry({
      ...options,
      ...more,
      makePanel: async () => makeLivePanel({ ...options, flow, onTextWanted: entry.onTextWanted, sleep: async () => {} }),
    });
    entry.applyLimits({ live: { expires_in: 600, tries: 3 } });
  };
  elsewhere = start;
  start();
});

async function press(name) {
  part(name).click();
  await settled();
}

async function join() {
  entry.join(TYPED);
  await settled();
}

async function end(action, value) {
  action(value);
  await settled();
}

const said = (name) => part(name).textContent;
const focused = () => document.activeElement.dataset.part;

test("a sender sees the code, what happens, and that the text has arrived", async () => {
  await press("hand-over");
  assert.deepEqual(events, [["handOver", "hello"]]);
  assert.deepEqual([part("live-panel").hidden, part("save-panel").hidden, part("load-panel").hidden], [false, true, true]);
  assert.deepEqual([said("live-code"), said("live-instruction"), said("live-status"), focused()], ["7 wUrp", "live_type_sender", "live_waiting", "live-cancel"]);
  onState({ name: "wrong", triesLeft: 2 });
  assert.equal(said("live-status"), "live_wrong_there");
  onState({ name: "agreed" });
  assert.equal(said("live-status"), "live_connected");
  await end(finish, { role: "sender", written: { code: "aaaa", ownerToken: "token" } });
  assert.deepEqual([said("live-status"), part("live-code").hidden, events.at(-1)], ["live_arrived", true, ["clear", "hello"]]);
  await press("live-cancel");
  assert.deepEqual([part("live-panel").hidden, part("save-panel").hidden, focused()], [true, false, "text"]);
});

test("a receiver gets the text where loaded texts are, before it is acknowledged", async () => {
  await press("receive-here");
  assert.deepEqual([events[0], said("live-instruction")], [["receiveHere", undefined], "live_type_receiver"]);
  await end(finish, { role: "receiver", text: "hi", acknowledge: async () => void events.push(["acknowledged"]) });
  assert.deepEqual(events.slice(1), [["shown", "7 wUrp", "hi"], ["acknowledged"]]);
  assert.deepEqual([part("live-panel").hidden, part("load-panel").hidden], [true, false]);
});

for (const [error, message] of [
  [new WrongLetters(2), "live_wrong_here"],
  [new WrongLetters(0), "live_no_tries"],
  [new SameLetters(), "live_same_letters"],
  [new MeetingEnded(), "live_no_meeting"],
  [new BadService(), "live_bad_service"],
  [new Unreachable(), "unreachable"],
]) {
  test(`who has typed a code reads of ${message} there`, async () => {
    await join();
    await end(fail, error);
    assert.deepEqual(events.slice(1), [["fill", "7 wUrp"], ["load says", message]]);
    assert.equal(part("live-panel").hidden, true);
  });
}

for (const [error, message] of [[new WrongLetters(0), "live_no_tries"], [new MeetingEnded(), "live_ended"], [new BadService(), "live_bad_service"]]) {
  test(`after ${message} a sender tries again with the same text`, async () => {
    await press("hand-over");
    await end(fail, error);
    assert.deepEqual([said("live-alert"), part("live-again").hidden, focused()], [message, false, "live-again"]);
    await press("live-again");
    assert.deepEqual(events, [["handOver", "hello"], ["handOver", "hello"]]);
  });
}

test("to send to who waits for a text takes a press, also with a text in the form", async () => {
  await join();
  await end(fail, new OtherRole("sender"));
  assert.deepEqual(events, [["joinLive", undefined], ["clear code"]]);
  assert.deepEqual([said("hand-over"), said("save-notice"), focused()], ["live_send", "live_text_wanted", "hand-over"]);
  await press("hand-over");
  assert.deepEqual([events.at(-1), said("hand-over"), said("save-notice")], [["joinLive", "hello"], "hand_over", ""]);
});

test("without a text the focus is where it is typed", async () => {
  text = "";
  await join();
  await end(fail, new OtherRole("sender"));
  assert.equal(focused(), "text");
});

test("cancelled, it says nothing more, and a reload does not go on with it", async () => {
  await press("hand-over");
  await items.state.set({ role: "sender" });
  await press("live-cancel");
  assert.deepEqual([cancelled, await items.state.get(), part("live-panel").hidden], [true, null, true]);
  await press("receive-here");
  const failOld = fail;
  await end(failOld, new Cancelled());
  assert.equal(events.at(-1)[0], "receiveHere");
});

test("a second Enter begins no second transfer", async () => {
  entry.join(TYPED);
  await join();
  assert.equal(events.length, 1);
});

test("a browser without the curve: a password is offered, and a typed code says it", async () => {
  canTransfer = false;
  await press("hand-over");
  await join();
  assert.deepEqual(events, [["password", "live_impossible"], ["load says", "live_impossible"]]);
});

test("a service without live transfers has no buttons", async () => {
  entry.applyLimits({});
  assert.deepEqual([part("hand-over").hidden, part("receive-here").hidden], [true, true]);
  await join();
  assert.deepEqual(events, [["load says", "live_unsupported"]]);
});

test("after a reload it goes on", async () => {
  await entry.resume();
  assert.deepEqual(events, []);
  await items.state.set({ isMaker: true, role: "sender", text: "hello", number: 7, letters: "wUrp" });
  const resumed = entry.resume();
  await settled();
  assert.deepEqual([events, said("live-code")], [[["resume", undefined]], "7 wUrp"]);
  await end(finish, { role: "sender", written: { code: "aaaa", ownerToken: "token" } });
  await resumed;
  assert.deepEqual(events.at(-1), ["clear", "hello"]);
});

test("after a reload the time goes on to the old end", async () => {
  endsAt = Date.now() + 200_000;
  await items.state.set({ isMaker: true, role: "sender", number: 7, letters: "wUrp" });
  entry.resume();
  await settled();
  assert.deepEqual(part("live-left").values, { time: "180" });
});

test("a popup hands it over to a window", async () => {
  const asked = [];
  elsewhere({ elsewhere: async (request) => void asked.push(request) });
  // The buttons have the listeners of both now.
  await entry.start({ text: "hello" });
  assert.deepEqual([asked, events], [[{ text: "hello" }], []]);
});
