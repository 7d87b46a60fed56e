/**
 * Live transfers: two computers that are awake at the same time hand over a text with four letters that never leave
 * them. docs/live-transfer.md specifies it. To be imported when it is needed: the first visit does not load it.
 */

import { randomBytes, toBase64url } from "./bytes.js";
import { BadShareError } from "./cpace.js";
import { Invalid } from "./errors.js";
import { makeLiveApi } from "./liveApi.js";
import { checkAttempt } from "./liveAttempts.js";
import { BadService, OtherRole } from "./liveErrors.js";
import * as exchange from "./liveExchange.js";
import { LIFETIME, keep, startTransfer } from "./liveTransfer.js";
import { makeMemoryItem } from "./storage.js";
import { makeUuid } from "./uuid.js";

export { canTransferLive } from "./liveExchange.js";

const TOKEN_BYTES = 16;
const LETTERS = 4;
const TEXT_RULE = "must be 1 character or more, without NUL and lone surrogates";
const ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** @typedef {import("./bytes.js").Bytes} Bytes */
/** @typedef {import("./liveCodes.js").LiveCode} LiveCode */
/** @typedef {import("./liveExchange.js").Role} Role */
/** @typedef {import("./liveAttempts.js").Attempt} Attempt */
/** @typedef {import("./liveTransfer.js").LiveState} LiveState */
/** @typedef {import("./liveTransfer.js").OnState} OnState */

/**
 * @param {object} options
 * @param {Pick<ReturnType<typeof import("./api.js").makeApi>, "live" | "write" | "load" | "ack">} options.api
 * @param {string | URL} options.service the address of the service
 * @param {import("./storage.js").StorageItem<LiveState>} [options.stateItem] outlives a reload
 * @param {import("./storage.js").StorageItem<Attempt[]>} [options.attemptsItem] outlives a reload
 * @param {(length: number) => Bytes} [options.random]
 * @param {(milliseconds: number) => Promise<void>} [options.sleep]
 * @param {() => number} [options.now] in ms
 */
export function makeLive({
  api,
  service,
  stateItem = makeMemoryItem(),
  attemptsItem = makeMemoryItem(),
  random = randomBytes,
  sleep = (milliseconds) => new Promise((resolve) => void setTimeout(resolve, milliseconds)),
  now = Date.now,
}) {
  const messages = makeLiveApi(api);
  const address = exchange.serviceAddress(service);
  const tools = { api, messages, address, stateItem, attemptsItem, random, sleep, now };

  /** Show a live code and send a text to whoever types it. @param {{text: string, onState?: OnState}} options */
  const handOver = ({ text, onState }) => open("sender", text, onState);

  /** Show a live code and receive the text of whoever types it. @param {{onState?: OnState}} [options] */
  const receiveHere = ({ onState } = {}) => open("receiver", undefined, onState);

  /** @param {Role} role @param {string | undefined} text @param {OnState} [onState] */
  async function open(role, text, onState) {
    checkText(text);
    const token = toBase64url(random(TOKEN_BYTES));
    const number = await messages.open(token, role);
    return startTransfer(tools, { ...newState(role, number, token), isMaker: true, letters: drawLetters(random), text }, onState);
  }

  /**
   * Join a meeting with a live code that was typed. With a text this side sends, without one it receives. Rejects with
   * `OtherRole` where the other side does the same, before anything was sent that depends on the letters.
   * @param {LiveCode} liveCode
   * @param {{text?: string, onState?: OnState}} [options]
   */
  async function joinLive({ number, letters }, { text, onState } = {}) {
    checkText(text);
    const role = text === undefined ? "receiver" : "sender";
    const attempts = checkAttempt((await attemptsItem.get()) ?? [], { number, letters, at: now() });
    const joined = await messages.join(number);
    if (joined.role !== role) throw new OtherRole(joined.role);
    const secret = { letters, service: address, number, makerRole: exchange.otherRole(role) };
    const { share, agreement } = await answer(secret, joined);
    const state = { ...newState(role, number, toBase64url(random(TOKEN_BYTES))), letters, text };
    // Before a tag is sent.
    await attemptsItem.set(attempts);
    return startTransfer(tools, { ...state, kept: keep(joined.session, share, agreement) }, onState);
  }

  /** @param {exchange.Secret} secret @param {import("./liveApi.js").Joined} offer */
  async function answer(secret, offer) {
    try {
      return await exchange.answerOffer(secret, offer, random(exchange.SCALAR_BYTES));
    } catch (error) {
      throw error instanceof BadShareError ? new BadService() : error;
    }
  }

  /** Go on after a reload; null where there is nothing. @param {{onState?: OnState}} [options] */
  async function resume({ onState } = {}) {
    const state = await stateItem.get();
    if (state && state.endsAt > now()) return startTransfer(tools, state, onState);
    await stateItem.set(null);
    return null;
  }

  /** @param {Role} role @param {number} number @param {string} token @returns {LiveState} */
  function newState(role, number, token) {
    const endsAt = now() + LIFETIME * 1000;
    return { isMaker: false, role, number, letters: "", token, endsAt, checked: 0, claim: makeUuid(), isAgreed: false };
  }

  return { handOver, receiveHere, joinLive, resume };
}

/** @param {string | undefined} text */
function checkText(text) {
  if (text === "" || text?.includes("\0") || text?.isWellFormed() === false) throw new Invalid("text", TEXT_RULE);
}

/** @param {(length: number) => Bytes} random */
function drawLetters(random) {
  let letters = "";
  while (letters.length < LETTERS) {
    const [byte] = random(1);
    // Every letter stands for four values of a byte; with the others some would stand for five.
    if (byte < ALPHABET.length * 4) letters += ALPHABET[byte % ALPHABET.length];
  }
  return letters;
}
