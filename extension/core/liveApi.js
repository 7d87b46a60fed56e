/** The messages of a live transfer to the service; every answer is checked. */

import { fromBase64url, toBase64url } from "./bytes.js";
import { UnexpectedResponse } from "./errors.js";
import { BadService, MeetingEnded } from "./liveErrors.js";
import { SESSION_BYTES, SHARE_BYTES, TAG_BYTES } from "./liveExchange.js";

const MAX_NUMBER = 9999;
const MAX_TRIES = 3;
const STATES = ["waiting", "answered", "confirmed"];
const CODE_PATTERN = /^[a-zA-Z]{4}$/;

/** @typedef {import("./bytes.js").Bytes} Bytes */
/** @typedef {import("./liveExchange.js").Role} Role */
/** @typedef {{number: number, token: string}} Membership `token`: in base64url */
/** @typedef {{role: Role, session: Bytes, share: Bytes, triesLeft: number}} Joined */
/** @typedef {{state: string, share: Bytes | null, tag: Bytes | null, code: string | null}} Seen */

/**
 * Each rejects as the service's client does; with `MeetingEnded` for the one 404 of meetings, and with `BadService`
 * for an answer that is not as described. Each may be sent again with the same values.
 * @param {Pick<ReturnType<typeof import("./api.js").makeApi>, "live">} api
 */
export function makeLiveApi(api) {
  /** @param {string} path @param {Record<string, unknown>} body @returns {Promise<any>} */
  async function send(path, body) {
    try {
      return (await api.live(path, body)) ?? {};
    } catch (error) {
      const isEnded = error instanceof UnexpectedResponse && error.status === 404 && path !== "open";
      throw isEnded ? new MeetingEnded() : error;
    }
  }

  return {
    /** @param {string} token @param {Role} role that of the maker @returns {Promise<number>} */
    async open(token, role) {
      return integer((await send("open", { token, role })).number, 1, MAX_NUMBER);
    },

    /** @param {Membership} member @param {Bytes} session @param {Bytes} share */
    async offer(member, session, share) {
      await send("offer", { ...member, session: toBase64url(session), share: toBase64url(share) });
    },

    /** @param {number} number @returns {Promise<Joined>} */
    async join(number) {
      const { role, session, share, tries_left: triesLeft } = await send("join", { number });
      require(role === "sender" || role === "receiver");
      return {
        role,
        session: bytes(session, SESSION_BYTES),
        share: bytes(share, SHARE_BYTES),
        triesLeft: integer(triesLeft, 0, MAX_TRIES),
      };
    },

    /** @param {Membership} member @param {{session: string, share: string, tag: string}} answer in base64url */
    async answer(member, answer) {
      await send("answer", { ...member, ...answer });
    },

    /** @param {Membership} member @returns {Promise<Seen>} */
    async poll(member) {
      const { state, share, tag, code } = await send("poll", { ...member });
      require(STATES.includes(state) && (code === null || (typeof code === "string" && CODE_PATTERN.test(code))));
      return {
        state,
        share: share === null ? null : bytes(share, SHARE_BYTES),
        tag: tag === null ? null : bytes(tag, TAG_BYTES),
        code,
      };
    },

    /** @param {Membership} member @param {{session: string, tag: string}} confirmation in base64url */
    async confirm(member, confirmation) {
      await send("confirm", { ...member, ...confirmation });
    },

    /** @param {Membership} member @param {string} code */
    async deliver(member, code) {
      await send("deliver", { ...member, code });
    },

    /** End the meeting, where the service can be reached. @param {Membership} member */
    async close(member) {
      await send("close", { ...member }).catch(() => {});
    },
  };
}

/** @param {unknown} given @param {number} min @param {number} max */
function integer(given, min, max) {
  require(Number.isInteger(given));
  const number = Number(given);
  require(min <= number && number <= max);
  return number;
}

/** @param {unknown} given @param {number} length @returns {Bytes} */
function bytes(given, length) {
  const data = typeof given === "string" ? fromBase64url(given) : null;
  require(data?.length === length);
  return /** @type {Bytes} */ (data);
}

/** @param {boolean} holds @returns {asserts holds} */
function require(holds) {
  if (!holds) throw new BadService();
}
