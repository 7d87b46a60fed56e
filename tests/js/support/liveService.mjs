/** A small service for live transfers in memory, as `fetch`, and a clock that goes on only by sleeping. */

export const SERVICE = "https://example.org/saver/";
const IN_TEN_MINUTES = "2099-01-01T00:00:00Z";
const ENDED = [404, { type: "urn:saver:problem:no-meeting" }];
const other = (role) => (role === "sender" ? "receiver" : "sender");

/**
 * One meeting, number 7, by the rules of docs/live-transfer.md. `requests` has all that was sent. `change` makes another
 * answer, `[status, document]`, of each one; with `loses` every answer is lost once.
 */
export function makeLiveService({ change = (_path, _body, answer) => answer, loses = false } = {}) {
  const requests = [];
  const answers = [];
  const lost = new Set();
  const texts = new Map();
  const meeting = { triesLeft: 3 };

  const messages = {
    open(body) {
      Object.assign(meeting, { maker: body.token, role: body.role });
      return [201, { number: 7, expires_at: IN_TEN_MINUTES }];
    },
    offer(body) {
      if (meeting.offer?.session === body.session) return [200, { tries_left: meeting.triesLeft }];
      if (meeting.reply) meeting.triesLeft -= 1;
      if (meeting.triesLeft === 0) return this.close(body);
      Object.assign(meeting, { offer: body, reply: null });
      return [200, { tries_left: meeting.triesLeft }];
    },
    join() {
      if (!meeting.offer || meeting.reply) return ENDED;
      const { session, share } = meeting.offer;
      return [200, { role: other(meeting.role), session, share, tries_left: meeting.triesLeft, expires_at: IN_TEN_MINUTES }];
    },
    answer(body) {
      if (meeting.offer?.session !== body.session) return ENDED;
      if (meeting.reply && JSON.stringify(meeting.reply) !== JSON.stringify(body)) return ENDED;
      meeting.reply = body;
      return [204];
    },
    poll({ token }) {
      const isMaker = token === meeting.maker;
      if (!isMaker && token !== meeting.reply?.token) return ENDED;
      const seen = { state: meeting.confirmation ? "confirmed" : meeting.reply ? "answered" : "waiting" };
      const { share = null, tag = null } = isMaker && seen.state === "answered" ? meeting.reply : {};
      const isReceiver = isMaker === (meeting.role === "receiver");
      const code = (isReceiver && meeting.code) || null;
      return [200, { ...seen, share, tag: isMaker ? tag : (meeting.confirmation?.tag ?? null), code }];
    },
    confirm(body) {
      meeting.confirmation = body;
      return [204];
    },
    deliver({ code }) {
      meeting.code = code;
      return [204];
    },
    close({ token }) {
      const isJoiner = meeting.confirmation && token === meeting.reply?.token;
      if (token === meeting.maker || isJoiner) meeting.isEnded = true;
      return ENDED;
    },
  };

  function answerTo(path, body) {
    if (path === "write") {
      if (!texts.has("wXyZ")) texts.set("wXyZ", body);
      return [201, { code: "wXyZ", owner_token: "o", expires_at: IN_TEN_MINUTES }];
    }
    if (path === "load") {
      const stored = texts.get(body.code);
      if (stored?.proof !== body.proof) return [404, { type: "urn:saver:problem:no-text" }];
      return [200, { text: stored.text, sealed: true, once: true, expires_at: IN_TEN_MINUTES }];
    }
    if (path === "ack") return [204];
    const isThere = path === "live/open" || (!meeting.isEnded && body.number === 7);
    return isThere ? messages[path.slice("live/".length)](body) : ENDED;
  }

  async function fetch(url, { body, headers }) {
    const path = url.href.slice(`${SERVICE}api/v1/`.length);
    requests.push({ path, body, key: headers["Idempotency-Key"] });
    const answer = change(path, JSON.parse(body), answerTo(path, JSON.parse(body)));
    answers.push(answer);
    if (loses && !lost.has(path + body)) {
      lost.add(path + body);
      throw new TypeError("lost");
    }
    const [status, document] = answer;
    return new Response(document === undefined ? null : JSON.stringify(document), { status });
  }

  return {
    fetch,
    requests,
    meeting,
    paths: () => requests.map(({ path }) => path),
    everything: () => JSON.stringify([requests, answers]),
  };
}

/** Time that passes only when every side that `track` knows of sleeps; what they calculate takes none. */
export function makeTime() {
  let time = 1_000_000;
  let running = 0;
  const sleepers = [];

  function wake() {
    if (sleepers.length === 0 || sleepers.length < running) return;
    sleepers.sort((one, other) => one.until - other.until);
    const { until, resolve } = sleepers.shift();
    time = Math.max(time, until);
    resolve();
  }

  return {
    now: () => time,
    sleep: (milliseconds) =>
      new Promise((resolve) => {
        sleepers.push({ until: time + milliseconds, resolve });
        setImmediate(wake);
      }),
    /** Wait for a side; `work` begins at once. */
    async track(work) {
      running += 1;
      try {
        return await work();
      } finally {
        running -= 1;
        setImmediate(wake);
      }
    },
  };
}
