/** One live transfer, from the live code to the text; `live.js` begins it. docs/live-transfer.md specifies it. */

import { fromBase64url, toBase64url } from "./bytes.js";
import { BadShareError } from "./cpace.js";
import { NoText, RateLimited, Unavailable, Unreachable } from "./errors.js";
import { withoutNumber } from "./liveAttempts.js";
import { formatLiveCode } from "./liveCodes.js";
import { BadService, Cancelled, MeetingEnded, WrongLetters } from "./liveErrors.js";
import * as exchange from "./liveExchange.js";
import { openLive, sealLive } from "./liveSeal.js";
import { BadSealError } from "./seal.js";
import { makeUuid } from "./uuid.js";

/** Of a meeting, in seconds. */
export const LIFETIME = 600;
const TRIES = 3;

/** @typedef {import("./bytes.js").Bytes} Bytes */
/** @typedef {import("./liveExchange.js").Role} Role */
/** @typedef {import("./liveAttempts.js").Attempt} Attempt */
/**
 * What the two sides have agreed on, or what the joiner has answered and waits for; in base64url. It is as secret as the
 * text: it belongs where drafts are, and nowhere else.
 * @typedef {{session: string, share: string, tag: string, expected: string, key: string, proof: string}} Kept
 */
/**
 * What is needed to go on after a reload; it survives JSON. `role` is that of this side; `checked`: how many tags the
 * maker has checked for these letters; `isAgreed`: the tag of the other side was right; `text`: of the sender until it
 * is written; `claim`: of the receiver.
 * @typedef {object} LiveState
 * @property {boolean} isMaker
 * @property {Role} role
 * @property {number} number
 * @property {string} letters
 * @property {string} token
 * @property {number} endsAt in ms
 * @property {number} checked
 * @property {string} claim
 * @property {boolean} isAgreed
 * @property {Kept} [kept]
 * @property {string} [text]
 * @property {import("./saving.js").PendingWrite} [write]
 */
/**
 * The sender gets `written`, for the receipt. The receiver gets `text`, and calls `acknowledge` when it is shown.
 * @typedef {{role: "sender", written: import("./api.js").Written} |
 *   {role: "receiver", text: string, acknowledge: () => Promise<void>}} LiveResult
 */
/**
 * A transfer under way. `liveCode`: what the maker shows, and what the joiner has typed; `endsAt` in ms; `done` rejects
 * with the errors of `errors.js` and `liveErrors.js`, and with `Cancelled` after `cancel`.
 * @typedef {{liveCode: string, isMaker: boolean, role: Role, endsAt: number, done: Promise<LiveResult>,
 *   cancel: () => void}} LiveTransfer
 */
/**
 * `waiting`: for the other side; `wrong`: the other side has typed wrong letters, and may try again; `agreed`: both have
 * the key, and the text is on its way.
 * @typedef {{name: "waiting" | "agreed"} | {name: "wrong", triesLeft: number}} LiveProgress
 */
/** @typedef {(progress: LiveProgress) => void} OnState */

/**
 * @typedef {object} LiveTools
 * @property {Pick<ReturnType<typeof import("./api.js").makeApi>, "write" | "load" | "ack">} api
 * @property {ReturnType<typeof import("./liveApi.js").makeLiveApi>} messages
 * @property {string} address of the service
 * @property {import("./storage.js").StorageItem<LiveState>} stateItem
 * @property {import("./storage.js").StorageItem<Attempt[]>} attemptsItem
 * @property {(length: number) => Bytes} random
 * @property {(milliseconds: number) => Promise<void>} sleep
 * @property {() => number} now in ms
 */

/**
 * Begin a transfer, or go on with it.
 * @param {LiveTools} tools
 * @param {LiveState} begun
 * @param {OnState} [onState]
 * @returns {Promise<LiveTransfer>}
 */
export async function startTransfer(tools, begun, onState = () => {}) {
  const { api, messages, address, stateItem, attemptsItem, random, sleep, now } = tools;
  let state = begun;
  let isCancelled = false;
  const { number, token, role, isMaker, endsAt } = state;
  const member = { number, token };
  let markOffered = () => {};
  const offered = new Promise((/** @type {(nothing: void) => void} */ resolve) => {
    markOffered = resolve;
  });
  await stateItem.set(state);

  /** @param {Partial<LiveState>} changes */
  async function update(changes) {
    checkCancelled();
    state = { ...state, ...changes };
    await stateItem.set(state);
  }

  function checkCancelled() {
    if (isCancelled) throw new Cancelled();
  }

  /** @param {(seen: import("./liveApi.js").Seen) => boolean} isEnough */
  async function pollUntil(isEnough) {
    const begin = now();
    for (; now() < endsAt; await sleep(pauseAfter(now() - begin))) {
      checkCancelled();
      const seen = await nullIfTemporary(messages.poll(member));
      if (seen && isEnough(seen)) return seen;
    }
    throw new MeetingEnded();
  }

  /** The maker: offers until an answer has the right letters. */
  async function makeOffers() {
    while (state.checked < TRIES) {
      const agreed = await makeOffer();
      if (agreed) return update({ isAgreed: true, kept: agreed });
    }
    throw new WrongLetters(0);
  }

  /** @returns {Promise<Kept | null>} null for wrong letters */
  async function makeOffer() {
    const session = random(exchange.SESSION_BYTES);
    const secret = { letters: state.letters, service: address, number, makerRole: role };
    const { share, agree } = await exchange.makeOffer(secret, session, random(exchange.SCALAR_BYTES));
    await messages.offer(member, session, share);
    if (state.checked > 0) onState({ name: "wrong", triesLeft: TRIES - state.checked });
    else onState({ name: "waiting" });
    markOffered();
    const answer = await pollUntil((seen) => seen.state === "answered");
    if (!answer.share || !answer.tag) throw new BadService();
    // Before the tag is checked: a reload gives no try more.
    await update({ checked: state.checked + 1 });
    const agreement = await nullIfBad(agree(answer.share));
    return agreement && exchange.isSameTag(answer.tag, agreement.expected) ? keep(session, share, agreement) : null;
  }

  /** The joiner: the same answer until the maker confirms it. @param {Kept} kept */
  async function waitForConfirmation({ session, share, tag, expected }) {
    onState({ name: "waiting" });
    const confirmed = await answerAndPoll({ session, share, tag });
    if (!confirmed.tag || !exchange.isSameTag(confirmed.tag, decode(expected))) throw new BadService();
    await attemptsItem.set(withoutNumber((await attemptsItem.get()) ?? [], number));
    await update({ isAgreed: true });
  }

  /** @param {{session: string, share: string, tag: string}} answer */
  async function answerAndPoll(answer) {
    try {
      await messages.answer(member, answer);
      return await pollUntil((seen) => seen.state === "confirmed");
    } catch (error) {
      if (!(error instanceof MeetingEnded) || now() >= endsAt) throw error;
      // The maker has made another offer, or the meeting has ended.
      throw new WrongLetters((await messages.join(number)).triesLeft);
    }
  }

  /** @param {Kept} kept @returns {Promise<LiveResult>} */
  async function send({ key, proof }) {
    if (!state.write) {
      const jwe = await sealLive(state.text ?? "", decode(key), random);
      const body = { text: jwe, proof, once: true, expiresIn: LIFETIME };
      // Sent again after a reload, it must be the same to the byte.
      await update({ write: { body, key: makeUuid() }, text: undefined });
    }
    const { body, key: name } = /** @type {import("./saving.js").PendingWrite} */ (state.write);
    checkCancelled();
    const written = await api.write(body, name);
    await messages.deliver(member, written.code);
    await stateItem.set(null);
    return { role: "sender", written };
  }

  /** @param {Kept} kept @returns {Promise<LiveResult>} */
  async function receive({ key, proof }) {
    const { code } = await pollUntil((seen) => seen.code !== null);
    const { claim } = state;
    const text = await load(String(code), { claim, proof }, decode(key));
    const acknowledge = async () => {
      await stateItem.set(null);
      await api.ack(String(code), claim).catch(() => {});
      await messages.close(member);
    };
    return { role: "receiver", text, acknowledge };
  }

  /** @param {string} code @param {{claim: string, proof: string}} reader @param {Bytes} key */
  async function load(code, reader, key) {
    try {
      const loaded = await api.load(code, reader);
      if (!loaded.sealed) throw new BadService();
      return await openLive(loaded.text, key);
    } catch (error) {
      if (error instanceof NoText) throw new MeetingEnded();
      throw error instanceof BadSealError ? new BadService() : error;
    }
  }

  async function run() {
    try {
      if (!state.isAgreed) await (isMaker ? makeOffers() : waitForConfirmation(/** @type {Kept} */ (state.kept)));
      const kept = /** @type {Kept} */ (state.kept);
      if (isMaker) await messages.confirm(member, { session: kept.session, tag: kept.tag });
      onState({ name: "agreed" });
      markOffered();
      return await (role === "sender" ? send(kept) : receive(kept));
    } catch (error) {
      if (!isTemporary(error)) await end();
      throw isCancelled ? new Cancelled() : error;
    }
  }

  async function end() {
    await stateItem.set(null);
    await messages.close(member);
  }

  const cancel = () => {
    isCancelled = true;
  };
  const done = run();
  // A live code that is shown before there is an offer could be typed too early.
  if (isMaker) await Promise.race([offered, done.catch(() => {})]);
  return { liveCode: formatLiveCode(state), isMaker, role, endsAt, done, cancel };
}

/** @param {Bytes} session @param {Bytes} share @param {exchange.Agreement} agreement @returns {Kept} */
export function keep(session, share, { key, proof, tag, expected }) {
  const kept = { session, share, tag, expected, key };
  const encoded = Object.entries(kept).map(([name, data]) => [name, toBase64url(data)]);
  return { ...Object.fromEntries(encoded), proof };
}

/** @param {string} kept */
const decode = (kept) => /** @type {Bytes} */ (fromBase64url(kept));

/** Between two polls, in ms. @param {number} passed in ms */
const pauseAfter = (passed) => (passed < 10_000 ? 500 : passed < 60_000 ? 1_000 : 2_000);

/** @template T @param {Promise<T>} agreeing @returns {Promise<T | null>} null for a share that is refused */
function nullIfBad(agreeing) {
  return agreeing.catch((error) => {
    if (error instanceof BadShareError) return null;
    throw error;
  });
}

/** @template T @param {Promise<T>} polling @returns {Promise<T | null>} null where it can be done again */
function nullIfTemporary(polling) {
  return polling.catch((error) => {
    if (isTemporary(error)) return null;
    throw error;
  });
}

/** @param {unknown} error */
function isTemporary(error) {
  return error instanceof Unreachable || error instanceof Unavailable || error instanceof RateLimited;
}
