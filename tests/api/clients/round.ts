/** A client as a person writes it after openapi-typescript's first page: it has to compile, and to do its round. */

import createClient from "openapi-fetch";
import type { components, paths } from "./openapi.ts";

declare const process: { argv: string[] };
const [url, text] = process.argv.slice(2);
// JSON, not the bare text that write and load can also answer with.
type Json = "application/json" | "application/problem+json";
const api = createClient<paths, Json>({ baseUrl: url ?? "" });

function sure<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(what);
  return value;
}

function same(left: unknown, right: unknown): void {
  if (left !== right) throw new Error(`${String(left)} is not ${String(right)}`);
}

const headers = { "Idempotency-Key": crypto.randomUUID() };
const asked = { params: { header: headers }, body: { text: text ?? "" } };
const written = sure((await api.POST("/api/v1/write", asked)).data, "written");
same((await api.POST("/api/v1/write", asked)).data?.code, written.code);
const { code, owner_token } = written;
const loaded = sure((await api.POST("/api/v1/load", { body: { code } })).data, "loaded");
same(loaded.text, text);
const status = sure((await api.POST("/api/v1/status", { body: { code, owner_token } })).data, "status");
const first: string | null = status.first_loaded_at;
same([status.state, typeof first].join(), "loaded,string");
const longer = await api.POST("/api/v1/extend", { body: { code, owner_token, expires_in: 1_200 } });
same(sure(longer.data, "extended").expires_at > written.expires_at, true);
same((await api.POST("/api/v1/delete", { body: { code, owner_token } })).response.status, 204);

const gone = await api.POST("/api/v1/load", { body: { code } });
const problem: components["schemas"]["ProblemDocument"] = sure(gone.error, "gone");
same(problem.type, "urn:saver:problem:no-text");
// What a problem may leave out is no string for sure.
same(problem.detail?.startsWith("There is no text"), true);
same(problem.errors?.length, undefined);

const once = sure((await api.POST("/api/v1/write", { body: { text: "x", once: true } })).data, "once");
const reader = { code: once.code, claim: crypto.randomUUID() };
same((await api.POST("/api/v1/load", { body: reader })).data?.once, true);
same((await api.POST("/api/v1/ack", { body: reader })).response.status, 204);
const sealed = await api.POST("/api/v1/write", { body: { text: "x", password: "open sesame" } });
const password = { code: sure(sealed.data, "sealed").code, password: "open sesame" };
same((await api.POST("/api/v1/load", { body: password })).data?.text, "x");
same((await api.GET("/api/v1/limits")).data?.expires_in.min, 60);
