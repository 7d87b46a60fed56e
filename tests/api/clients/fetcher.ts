/** A client as a person writes it after the first page of what openapi-generator has made. */

import { ResponseError, ServiceApi, TextsApi } from "./made/index";

declare const process: { argv: string[]; exitCode: number };

function same(left: unknown, right: unknown): void {
  if (left !== right) throw new Error(`${String(left)} is not ${String(right)}`);
}

async function round(text: string): Promise<void> {
  // The server's address is in it: it was made of the document at that address.
  const texts = new TextsApi();
  const asked = { writeRequest: { text }, idempotencyKey: crypto.randomUUID() };
  const written = await texts.write(asked);
  same((await texts.write(asked)).code, written.code);
  const { code } = written;
  same((await texts.load({ loadRequest: { code } })).text, text);
  const ownerRequest = { code, ownerToken: written.ownerToken };
  same((await texts.status({ ownerRequest })).state, "loaded");
  const longer = await texts.extend({ extendRequest: { ...ownerRequest, expiresIn: 1_200 } });
  same(longer.expiresAt > written.expiresAt, true);
  await texts._delete({ ownerRequest });
  const refused: unknown = await texts.load({ loadRequest: { code } }).catch((error: unknown) => error);
  same(refused instanceof ResponseError && refused.response.status, 404);
  const once = await texts.write({ writeRequest: { text, once: true } });
  const reader = { code: once.code, claim: crypto.randomUUID() };
  same((await texts.load({ loadRequest: reader })).once, true);
  await texts.ack({ ackRequest: reader });
  const limits = await new ServiceApi().limits();
  same(limits.expiresIn.min, 60);
}

round(process.argv[2] ?? "").catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
