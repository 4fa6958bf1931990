// Unkey's own client against the stand-in: what this client takes for an answer of Unkey, and what it takes for an error.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Unkey } from "@unkey/api";
import * as errors from "@unkey/api/models/errors";

const API = "api_stub";
let program, url, manage, verify;

before(async () => {
  const path = fileURLToPath(new URL("../../support/unkey_stub.py", import.meta.url));
  program = spawn("python3", ["-B", path], { stdio: ["ignore", "pipe", "inherit"] });
  url = await new Promise((resolve, reject) => {
    createInterface({ input: program.stdout }).once("line", resolve);
    program.once("exit", () => reject(new Error("the stub ended")));
  });
  const client = (rootKey) => new Unkey({ rootKey, serverURL: url, retryConfig: { strategy: "none" } });
  manage = client("unkey_manage_root_key");
  verify = client("unkey_verify_root_key");
});

after(() => program.kill());

const create = async (fields = {}) =>
  (await manage.keys.createKey({
    apiId: API, prefix: "ck", byteLength: 24, name: "Production Key", externalId: "user_1",
    meta: { rateLimit: 100 }, ratelimits: [{ name: "requests", limit: 100, duration: 60000, autoApply: false }], ...fields,
  })).data;
const check = async (key, fields = {}) => (await verify.keys.verifyKey({ key, credits: { cost: 0 }, ...fields })).data;

test("a key is made and verified", async () => {
  const { key, keyId } = await create();
  assert.match(key, /^ck_[1-9A-HJ-NP-Za-km-z]{32,33}$/);
  const result = await check(key);
  assert.equal(result.valid, true);
  assert.equal(result.code, "VALID");
  assert.equal(result.keyId, keyId);
  assert.equal(result.name, "Production Key");
  assert.equal(result.identity.externalId, "user_1");
  assert.deepEqual(result.meta, { rateLimit: 100 });
  assert.equal(result.ratelimits, undefined); // it is not applied, and so not told
});

test("every outcome of a verification is a 200 with its code", async () => {
  assert.deepEqual({ ...(await check("ck_nobody")) }, { valid: false, code: "NOT_FOUND" });
  const disabled = await create({ enabled: false });
  assert.equal((await check(disabled.key)).code, "DISABLED");
  const expired = await create({ expires: 1 });
  assert.equal((await check(expired.key)).code, "EXPIRED");
  const spent = await create({ credits: { remaining: 1 } });
  assert.equal((await check(spent.key, { credits: { cost: 0 } })).credits, 1);
  assert.equal((await check(spent.key, { credits: { cost: 1 } })).credits, 0);
  assert.equal((await check(spent.key, { credits: { cost: 1 } })).code, "USAGE_EXCEEDED");
  const limited = await create({ ratelimits: [{ name: "requests", limit: 1, duration: 60000, autoApply: true }] });
  assert.equal((await check(limited.key)).valid, true);
  const second = await check(limited.key);
  assert.equal(second.code, "RATE_LIMITED");
  assert.equal(second.ratelimits[0].exceeded, true);
});

test("a key is read, changed and deleted", async () => {
  const { key, keyId } = await create();
  const read = (await manage.keys.getKey({ keyId })).data;
  assert.equal(read.start, key.slice(0, 7));
  assert.equal(read.enabled, true);
  assert.ok(Math.abs(read.createdAt - Date.now()) < 60000);
  await manage.keys.updateKey({ keyId, name: "Renamed", enabled: false, meta: { rateLimit: 7 }, expires: null });
  const changed = (await manage.keys.getKey({ keyId })).data;
  assert.equal(changed.name, "Renamed");
  assert.equal(changed.enabled, false);
  assert.deepEqual(changed.meta, { rateLimit: 7 });
  assert.equal((await manage.keys.whoami({ key })).data.keyId, keyId);
  await manage.keys.deleteKey({ keyId });
  await assert.rejects(manage.keys.getKey({ keyId }), errors.NotFoundErrorResponse);
  assert.equal((await check(key)).code, "NOT_FOUND");
});

test("a key is rerolled: the new one has a new id, the old one an end", async () => {
  const old = await create();
  const made = (await manage.keys.rerollKey({ keyId: old.keyId, expiration: 60000 })).data;
  assert.notEqual(made.keyId, old.keyId);
  assert.equal((await check(made.key)).identity.externalId, "user_1");
  assert.equal((await check(old.key)).valid, true);
  assert.ok((await manage.keys.getKey({ keyId: old.keyId })).data.expires > Date.now());
});

test("keys are listed page by page, those of one owner if asked for", async () => {
  for (let i = 0; i < 5; ++i) await create({ externalId: "user_pages" });
  const seen = new Set();
  let cursor;
  do {
    const page = await manage.apis.listKeys({ apiId: API, externalId: "user_pages", limit: 2, cursor });
    const body = page.result ?? page;
    for (const one of body.data) {
      assert.equal(one.identity.externalId, "user_pages");
      seen.add(one.keyId);
    }
    cursor = body.pagination.hasMore ? body.pagination.cursor : undefined;
  } while (cursor);
  assert.equal(seen.size, 5);
});

test("errors are those that the client knows", async () => {
  const stranger = new Unkey({ rootKey: "unkey_nobody", serverURL: url, retryConfig: { strategy: "none" } });
  await assert.rejects(stranger.keys.verifyKey({ key: "x" }), errors.UnauthorizedErrorResponse);
  await assert.rejects(verify.keys.createKey({ apiId: API }), errors.ForbiddenErrorResponse);
  await assert.rejects(manage.keys.createKey({ apiId: "api_other" }), errors.NotFoundErrorResponse);
  await assert.rejects(manage.keys.createKey({ apiId: API, byteLength: 7 }), (error) => {
    assert.ok(error instanceof errors.BadRequestErrorResponse);
    assert.equal(error.error.errors[0].location, "body.byteLength");
    return true;
  });
  const response = await fetch(url + "/v2/keys.verifyKey", {
    method: "POST", headers: { Authorization: "Bearer unkey_verify_root_key" }, body: '{"key":"x","apiId":"api_stub"}',
  });
  assert.equal(response.status, 400); // version 2 takes no apiId here
});
