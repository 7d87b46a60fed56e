/** The JavaScript side of many exchanges: a request and its answer are each one line of JSON. Bytes are in base64url. */

import { createInterface } from "node:readline";

import { fromBase64url, toBase64url } from "../../extension/core/bytes.js";
import { answerOffer, isSameTag, makeOffer } from "../../extension/core/liveExchange.js";
import { openLive, sealLive } from "../../extension/core/liveSeal.js";

const offers = new Map();
const agreements = new Map();

const told = ({ tag, expected, key, proof }) => ({ tag: toBase64url(tag), expected: toBase64url(expected), key: toBase64url(key), proof });

const commands = {
  async offer({ id, secret, session, scalar }) {
    const offer = await makeOffer(secret, fromBase64url(session), fromBase64url(scalar));
    offers.set(id, offer);
    return { share: toBase64url(offer.share) };
  },
  async agree({ id, share, tag }) {
    const agreement = await offers.get(id).agree(fromBase64url(share));
    offers.delete(id);
    return { ...told(agreement), isSame: isSameTag(fromBase64url(tag), agreement.expected) };
  },
  async answer({ id, secret, session, share, scalar }) {
    const offer = { session: fromBase64url(session), share: fromBase64url(share) };
    const answer = await answerOffer(secret, offer, fromBase64url(scalar));
    agreements.set(id, answer.agreement);
    return { share: toBase64url(answer.share), ...told(answer.agreement) };
  },
  async check({ id, tag }) {
    const isSame = isSameTag(fromBase64url(tag), agreements.get(id).expected);
    agreements.delete(id);
    return { isSame };
  },
  seal: async ({ text, key }) => ({ jwe: await sealLive(text, fromBase64url(key)) }),
  open: async ({ jwe, key }) => ({ text: await openLive(jwe, fromBase64url(key)) }),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { command, ...given } = JSON.parse(line);
  process.stdout.write(`${JSON.stringify(await commands[command](given))}\n`);
}
