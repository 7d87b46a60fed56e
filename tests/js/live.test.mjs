/** The two sides of a live transfer against a service in memory, an honest one and hostile ones. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { makeApi } from "../../extension/core/api.js";
import { toBase64url } from "../../extension/core/bytes.js";
import { Invalid, RateLimited } from "../../extension/core/errors.js";
import { makeLive } from "../../extension/core/live.js";
import { checkAttempt, withoutNumber } from "../../extension/core/liveAttempts.js";
import { readLiveCode } from "../../extension/core/liveCodes.js";
import { BadService, Cancelled, MeetingEnded, OtherRole, SameLetters, WrongLetters } from "../../extension/core/liveErrors.js";
import { openLive, sealLive } from "../../extension/core/liveSeal.js";
import { BadSealError, seal } from "../../extension/core/seal.js";
import { makeStorageItem } from "../../extension/core/storage.js";
import { makeArea } from "./support/browser.mjs";
import { SERVICE, makeLiveService, makeTime } from "./support/liveService.mjs";

// A page that is closed leaves timers behind, which must not keep the tests running.
const { setTimeout } = globalThis;
globalThis.setTimeout = (...given) => setTimeout(...given).unref();

const TEXT = "금고는 그림 뒤에 있습니다.\r\n";
const ROLES = ["sender", "receiver"];
const WRONG = ["aaaa", "bbbb", "cccc"];
const { refused, exchanges } = JSON.parse(
  readFileSync(new URL("../vectors/live-transfer.json", import.meta.url), "utf8"),
);
const bytes = (given) => new Uint8Array(Buffer.from(given, "base64url"));

/** One side: a client with its own storage area. */
function makeSide(service, time, area = makeArea()) {
  const api = makeApi({ fetch: service.fetch, baseUrl: SERVICE, retry: { pauses: [0, 0] } });
  const stateItem = makeStorageItem(area, "live");
  const attemptsItem = makeStorageItem(area, "attempts");
  return { area, live: makeLive({ api, service: SERVICE, stateItem, attemptsItem, sleep: time.sleep, now: time.now }) };
}

/** A maker with this role and a joiner at one service; `settled` has what became of the maker. */
async function pair(service, role = "sender", time = makeTime()) {
  const [maker, joiner] = [makeSide(service, time), makeSide(service, time)];
  const told = [];
  const onState = (progress) => void told.push(progress);
  const transfer = await (role === "sender" ? maker.live.handOver({ text: TEXT, onState }) : maker.live.receiveHere({ onState }));
  const settled = time.track(() => transfer.done.catch((error) => error));
  await offered(service);
  const code = readLiveCode(transfer.liveCode);
  const given = role === "sender" ? {} : { text: TEXT };
  /** Join with these letters, or with the right ones; what became of it. */
  const join = (letters = code.letters, number = code.number) =>
    time.track(async () => {
      try {
        return await (await joiner.live.joinLive({ number, letters }, given)).done;
      } catch (error) {
        return error;
      }
    });
  return { service, maker, joiner, transfer, settled, told, code, join, given, time };
}

/** Resolves when there is an offer to answer. */
async function offered({ meeting }) {
  while (!meeting.offer) await new Promise((resolve) => void setImmediate(resolve));
}

const textOf = async (...results) => (await Promise.all(results)).find(({ role }) => role === "receiver")?.text;

for (const role of ROLES) {
  for (const loses of [false, true]) {
    test(`a text arrives, the maker is the ${role}, ${loses ? "every answer is lost once" : "no answer is lost"}`, async () => {
      const service = makeLiveService({ loses });
      const { maker, settled, join, told, code } = await pair(service, role);
      const [made, joined] = await Promise.all([settled, join()]);
      assert.equal(await textOf(made, joined), TEXT);
      const [sent, received] = role === "sender" ? [made, joined] : [joined, made];
      assert.equal(sent.written.code, "wXyZ");
      assert.ok(!service.paths().includes("ack"));
      await received.acknowledge();
      assert.ok(service.paths().includes("ack"));
      assert.deepEqual(told, [{ name: "waiting" }, { name: "agreed" }]);
      assert.deepEqual(maker.area.values, {});
      assert.ok(!service.everything().includes(code.letters));
      assert.ok(!service.everything().includes(TEXT.trim()));
      const writes = service.requests.filter(({ path }) => path === "write");
      assert.equal(writes.length, loses ? 2 : 1);
      assert.ok(writes.every(({ body, key }) => body === writes[0].body && key === writes[0].key && key));
    });
  }

  test(`two slips and then the right letters, the maker is the ${role}`, async () => {
    const { settled, join, told } = await pair(makeLiveService(), role);
    for (const triesLeft of [2, 1]) {
      const slip = await join(WRONG[triesLeft]);
      assert.ok(slip instanceof WrongLetters);
      assert.equal(slip.triesLeft, triesLeft);
    }
    assert.equal(await textOf(join(), settled), TEXT);
    assert.deepEqual(told.slice(1, 3), [{ name: "wrong", triesLeft: 2 }, { name: "wrong", triesLeft: 1 }]);
  });

  test(`after three slips nothing of the text was sent, the maker is the ${role}`, async () => {
    const { service, settled, join, maker } = await pair(makeLiveService(), role);
    for (const letters of WRONG) assert.ok((await join(letters)) instanceof Error);
    const error = await settled;
    assert.ok(error instanceof WrongLetters);
    assert.equal(error.triesLeft, 0);
    assert.ok((await join()) instanceof Error);
    assert.ok(service.meeting.isEnded);
    assert.deepEqual(maker.area.values, {});
    assert.ok(!service.paths().some((path) => path === "write" || path === "load"));
  });
}

test("the same letters are sent once", async () => {
  const { service, join, transfer, settled } = await pair(makeLiveService());
  assert.ok((await join("aaaa")) instanceof WrongLetters);
  assert.ok((await join("aaaa")) instanceof SameLetters);
  assert.equal(service.paths().filter((path) => path === "live/answer").length, 1);
  transfer.cancel();
  assert.ok((await settled) instanceof Cancelled);
  assert.ok(service.meeting.isEnded);
});

test("a number takes three tags until its meeting has ended or a transfer succeeds", () => {
  let made = [];
  for (const letters of WRONG) made = checkAttempt(made, { number: 7, letters, at: 1_000 });
  made = checkAttempt(made, { number: 8, letters: "dddd", at: 1_000 });
  assert.throws(() => checkAttempt(made, { number: 7, letters: "dddd", at: 1_001 }), WrongLetters);
  assert.throws(() => checkAttempt(made, { number: 7, letters: "aaaa", at: 600_999 }), SameLetters);
  assert.equal(checkAttempt(made, { number: 7, letters: "aaaa", at: 601_000 }).length, 1);
  assert.equal(withoutNumber(made, 7).length, 1);
});

test("both cannot do the same", async () => {
  const { service, transfer, joiner, code, settled, time } = await pair(makeLiveService());
  await time.track(() => assert.rejects(joiner.live.joinLive(code, { text: "y" }), OtherRole));
  assert.ok(!service.paths().some((path) => path === "live/answer" || path === "write"));
  transfer.cancel();
  await settled;
});

test("who waits in vain ends after ten minutes", async () => {
  const { service, settled, time } = await pair(makeLiveService());
  const start = time.now();
  assert.ok((await settled) instanceof MeetingEnded);
  assert.ok(time.now() - start < 605_000);
  assert.equal(service.paths().filter((path) => path === "live/poll").length, 20 + 50 + 270);
});

test("a text that no service keeps is refused before anything is sent", async () => {
  const service = makeLiveService();
  const { live } = makeSide(service, makeTime());
  for (const text of ["", "a\0b", "\ud800"]) await assert.rejects(live.handOver({ text }), Invalid);
  assert.deepEqual(service.requests, []);
});

// A reload: the page is gone in the middle, and another one goes on with what is in the storage area

/** A page that is closed when it asks for `path`: nothing of it goes on after that. `reload` gives the next one. */
function pageClosedAt(path, service, time) {
  const area = makeArea();
  const closed = Promise.withResolvers();
  let isClosed = false;
  const fetch = async (url, request) => {
    const response = isClosed ? null : await service.fetch(url, request);
    if (url.pathname.endsWith(path)) {
      isClosed = true;
      closed.resolve();
    }
    return isClosed ? new Promise(() => {}) : response;
  };
  /** Begin with `begin`, which gives a transfer; what became of it on the next page. */
  const run = (begin) =>
    time.track(async () => {
      const first = await Promise.race([begin(makeSide({ fetch }, time, area).live), closed.promise]);
      await closed.promise;
      const next = await makeSide(service, time, area).live.resume();
      if (first) assert.deepEqual([next.liveCode, next.endsAt], [first.liveCode, first.endsAt]);
      return next.done;
    });
  async function offeredAgain() {
    await closed.promise;
    const { session } = service.meeting.offer;
    while (service.meeting.offer.session === session) await new Promise((resolve) => void setImmediate(resolve));
  }
  return { run, offeredAgain };
}

for (const role of ROLES) {
  const given = role === "sender" ? {} : { text: TEXT };

  for (const path of ["live/poll", "live/confirm", ...(role === "sender" ? ["write", "live/deliver"] : ["load"])]) {
    test(`a maker, the ${role}, goes on after a reload at ${path}`, async () => {
      const [service, time] = [makeLiveService(), makeTime()];
      const begun = Promise.withResolvers();
      const page = pageClosedAt(path, service, time);
      const made = page.run(async (live) => {
        const transfer = await (role === "sender" ? live.handOver({ text: TEXT }) : live.receiveHere());
        begun.resolve(readLiveCode(transfer.liveCode));
        return transfer;
      });
      const code = await begun.promise;
      await offered(service);
      // A page that was closed at its first poll makes another offer.
      const joined = time.track(async () => {
        if (path === "live/poll") await page.offeredAgain();
        return (await makeSide(service, time).live.joinLive(code, given)).done;
      });
      assert.equal(await textOf(joined, made), TEXT);
      assert.equal(service.meeting.triesLeft, 3);
    });
  }

  for (const path of ["live/answer", "live/poll", ...(role === "sender" ? ["load"] : ["write", "live/deliver"])]) {
    test(`a joiner of a ${role} goes on after a reload at ${path}`, async () => {
      const [service, time] = [makeLiveService(), makeTime()];
      const { code, settled } = await pair(service, role, time);
      const joined = pageClosedAt(path, service, time).run((live) => live.joinLive(code, given));
      assert.equal(await textOf(settled, joined), TEXT);
      assert.equal(service.meeting.triesLeft, 3);
    });
  }
}

test("a maker that has checked three tags checks no other after a reload", async () => {
  const service = makeLiveService();
  const { maker, transfer, settled, time } = await pair(service);
  const state = { ...maker.area.values.live, checked: 3 };
  transfer.cancel();
  await settled;
  const next = await makeSide(service, time, makeArea({ live: state })).live.resume();
  await time.track(() => assert.rejects(next.done, WrongLetters));
});

test("a tag is counted before it is checked, and an attempt before it is sent", async () => {
  const seen = [];
  const sides = {};
  const change = (path, _body, answer) => {
    if (path === "live/answer") seen.push(["attempts", sides.joiner.area.values.attempts?.length]);
    if (path === "live/confirm") seen.push(["checked", sides.maker.area.values.live.checked]);
    return answer;
  };
  const both = await pair(makeLiveService({ change }));
  Object.assign(sides, both);
  await Promise.all([both.settled, both.join()]);
  assert.deepEqual(seen, [["attempts", 1], ["checked", 1]]);
});

test("a transfer whose meeting has ended is not gone on with", async () => {
  const area = makeArea({ live: { endsAt: 1 } });
  const { live } = makeSide(makeLiveService(), makeTime(), area);
  assert.equal(await live.resume(), null);
  assert.deepEqual(area.values, {});
});

// A hostile service

const answering = (path, ...answer) => (asked, _body, honest) => (asked === path ? answer : honest);
const withFields = (path, fields) => (asked, _body, [status, document]) => {
  const there = Object.entries(fields).filter(([name]) => document?.[name] !== null && document?.[name] !== undefined);
  return asked === path && document ? [status, { ...document, ...Object.fromEntries(there) }] : [status, document];
};

function swappedRole(path, _body, [status, document]) {
  if (path !== "live/join" || status !== 200) return [status, document];
  return [status, { ...document, role: document.role === "sender" ? "receiver" : "sender" }];
}

function reflecting() {
  let share;
  return (path, body, [status, document]) => {
    if (path === "live/offer") ({ share } = body);
    return path === "live/poll" && document.share ? [status, { ...document, share }] : [status, document];
  };
}

function tagReturned() {
  let answer;
  return (path, body, [status, document]) => {
    if (path === "live/answer") answer = body;
    const isJoiner = path === "live/poll" && answer?.token === body.token;
    return isJoiner ? [status, { ...document, state: "confirmed", tag: answer.tag }] : [status, document];
  };
}

const zeros = (length) => toBase64url(new Uint8Array(length));
const HOSTILE = {
  "another session": () => withFields("live/join", { session: zeros(16) }),
  "a short session": () => withFields("live/join", { session: zeros(15) }),
  "another share": () => withFields("live/join", { share: toBase64url(new Uint8Array(32).fill(9)) }),
  "another tag": () => withFields("live/poll", { tag: zeros(64) }),
  "a short tag": () => withFields("live/poll", { tag: zeros(63) }),
  "no tag": () => withFields("live/poll", { tag: null, state: "answered" }),
  "a tag of another kind": () => withFields("live/poll", { tag: 7 }),
  "another role": () => swappedRole,
  "a role that does not exist": () => withFields("live/join", { role: "reader" }),
  "a state that does not exist": () => withFields("live/poll", { state: "loaded" }),
  "the maker's own share": reflecting,
  "a text in place of an offer": () => answering("live/join", 200, { text: "x", sealed: false }),
  "the 404 of a text": () => answering("live/join", 404, { type: "urn:saver:problem:no-text", seal: {} }),
};
for (const { name, share } of refused.shares) {
  HOSTILE[`to the joiner: ${name}`] = () => withFields("live/join", { share });
  HOSTILE[`to the maker: ${name}`] = () => withFields("live/poll", { share });
}
for (const path of ["offer", "join", "poll"]) {
  for (const status of [301, 307, 308, 500]) HOSTILE[`${status} for ${path}`] = () => answering(`live/${path}`, status, {});
  if (path !== "offer") HOSTILE[`no JSON for ${path}`] = () => answering(`live/${path}`, 200);
}

for (const [name, makeChange] of Object.entries(HOSTILE)) {
  for (const role of ROLES) {
    test(`a hostile service gets nothing of the text: ${name}, the maker is the ${role}`, async () => {
      const { service, settled, join, code } = await pair(makeLiveService({ change: makeChange() }), role);
      for (const result of await Promise.all([settled, join()])) assert.ok(result instanceof Error, JSON.stringify(result));
      assert.ok(!service.paths().some((path) => path === "write" || path === "load"));
      assert.ok(!service.everything().includes(code.letters));
    });
  }
}

test("a service that guesses, and sets no limits, has three tags of a maker", async () => {
  const guess = { state: "answered", share: toBase64url(new Uint8Array(32).fill(9)), tag: zeros(64), code: null };
  const change = (path, _body, answer) => {
    if (path === "live/poll") return [200, guess];
    return path === "live/offer" ? [200, { tries_left: 3 }] : answer;
  };
  const { service, settled } = await pair(makeLiveService({ change }));
  assert.ok((await settled) instanceof WrongLetters);
  assert.equal(service.paths().filter((path) => path === "live/offer").length, 3);
  assert.ok(!service.paths().includes("write"));
});

test("a joiner that gets its own tag back ends", async () => {
  const { service, join, transfer, settled } = await pair(makeLiveService({ change: tagReturned() }));
  assert.ok((await join()) instanceof BadService);
  assert.ok(!service.paths().includes("load"));
  transfer.cancel();
  await settled;
});

test("an exchange for one number is none for another", async () => {
  const service = makeLiveService();
  const honest = service.fetch;
  service.fetch = (url, request) => honest(url, { ...request, body: request.body.replace('"number":8', '"number":7') });
  const { settled, join, code } = await pair(service);
  assert.ok((await join(code.letters, 8)) instanceof WrongLetters);
  assert.ok((await settled) instanceof Error);
  assert.ok(!service.paths().includes("write"));
});

const LOADED = {
  "an open text": { sealed: false, text: "pay to another account" },
  "an open text as a sealed one": { text: "pay to another account" },
  "a text under another key": { text: await sealLive(TEXT, new Uint8Array(32)) },
  "a text under a password": { text: (await seal(TEXT, "password")).jwe },
};
for (const [name, fields] of Object.entries(LOADED)) {
  for (const role of ROLES) {
    test(`the receiver shows only what opens under the key: not ${name}, the maker is the ${role}`, async () => {
      const { settled, join } = await pair(makeLiveService({ change: withFields("load", fields) }), role);
      const [made, joined] = await Promise.all([settled, join()]);
      assert.ok((role === "sender" ? joined : made) instanceof BadService);
    });
  }
}

test("a service that is busy while it is polled is polled again", async () => {
  let busy = 3;
  const change = (path, _body, answer) => (path === "live/poll" && busy-- > 0 ? [429, {}] : answer);
  const { settled, join } = await pair(makeLiveService({ change }));
  assert.equal(await textOf(settled, join()), TEXT);
});

test("a limit of guesses is told", async () => {
  const { join, transfer, settled } = await pair(makeLiveService({ change: answering("live/join", 429, {}) }));
  assert.ok((await join()) instanceof RateLimited);
  transfer.cancel();
  await settled;
});

// The text

for (const { name, text, key, nonce, jwe } of exchanges) {
  test(`${name}: the text is sealed and opened to the byte`, async () => {
    assert.equal(await sealLive(text, bytes(key), () => bytes(nonce)), jwe);
    assert.equal(await openLive(jwe, bytes(key)), text);
  });
}

for (const { name, key, jwe } of refused.texts) {
  test(`a text with another header is refused: ${name}`, async () => {
    await assert.rejects(openLive(jwe, bytes(key)), BadSealError);
  });
}

test("no character of a text can be changed", async () => {
  const [{ jwe, key }] = exchanges;
  for (let at = 0; at < jwe.length; at += 1) {
    const changed = jwe.slice(0, at) + (jwe[at] === "A" ? "B" : "A") + jwe.slice(at + 1);
    await assert.rejects(openLive(changed, bytes(key)), BadSealError);
  }
});
