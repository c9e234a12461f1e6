import { createHmac } from "node:crypto";

import { exportSPKI, generateKeyPair, importJWK, SignJWT, type CryptoKey } from "jose";
import { describe, expect, test } from "vitest";

import {
  codeOf,
  dialects,
  here,
  openTestAccess,
  operator,
  password,
  type TestAccess,
} from "./instance.ts";

const minute = 60_000;

interface Forgery {
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly header?: Readonly<Record<string, unknown>>;
  readonly key?: CryptoKey | Uint8Array;
}

/** The instance's own key and claims, with whatever a test changes about them. */
async function forger(t: TestAccess) {
  const { signingKeys } = t.database.tables;
  const [row] = await t.database.reader.select().from(signingKeys);
  if (row === undefined) throw new Error("There is a key.");
  const { userId = "", sessionId = "" } = await t.user("ada", "admin:*");
  const { logId } = await t.log.head();
  const urn = `urn:store:${logId}`;
  const now = Math.floor(t.now() / 1_000);
  const own = { iss: urn, aud: urn, sub: userId, sid: sessionId };
  const times = { iat: now, nbf: now, exp: now + 900 };
  const ownKey = await importJWK(JSON.parse(row.privateKey), "EdDSA");
  const publicKey = await importJWK({ ...JSON.parse(row.publicKey), ext: true }, "EdDSA");
  const forge = ({ claims, header, key = ownKey }: Forgery = {}) =>
    new SignJWT({ ...own, ...times, ...claims })
      .setProtectedHeader({ alg: "EdDSA", typ: "at+jwt", kid: row.keyId, ...header })
      .sign(key);
  return { forge, row, now, urn, own, publicKey };
}

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

describe.each(dialects)("access tokens on %s", (dialect) => {
  test("are taken as the instance signs them, and refused with anything changed", async () => {
    await using t = await openTestAccess(dialect);
    const { forge, now, own, row } = await forger(t);
    expect(await t.as(await forge())).toMatchObject({ username: "ada" });
    const stranger = await generateKeyPair("EdDSA", { crv: "Ed25519" });
    const other = "01900000-0000-7000-8000-000000000000";
    const forgeries: Record<string, Forgery> = {
      "another issuer": { claims: { iss: "urn:store:another" } },
      "another audience": { claims: { aud: "urn:store:another" } },
      "no audience": { claims: { aud: undefined } },
      "no issuer": { claims: { iss: undefined } },
      expired: { claims: { iat: now - 1_000, nbf: now - 1_000, exp: now - 31 } },
      "never expiring": { claims: { exp: undefined } },
      "not valid yet": { claims: { nbf: now + 32 } },
      "issued without a time": { claims: { iat: undefined } },
      "another type": { header: { typ: "JWT" } },
      "no type": { header: { typ: undefined } },
      "another key": { key: stranger.privateKey },
      "an unknown key id": { header: { kid: other } },
      "a key id that is no id": { header: { kid: "../../etc/passwd" } },
      "no key id": { header: { kid: undefined } },
      "another user": { claims: { sub: other } },
      "another session": { claims: { sid: other } },
      "no session": { claims: { sid: undefined } },
      "a session that is no text": { claims: { sid: [own.sid] } },
    };
    for (const [what, forgery] of Object.entries(forgeries)) {
      const token = await forge(forgery);
      expect(await codeOf(t.as(token)), what).toBe("unauthenticated");
    }
    expect(row.keyId).toBe(row.keyId.toLowerCase());
  });

  test("are refused unsigned, and signed with the public key as a secret", async () => {
    await using t = await openTestAccess(dialect);
    const { forge, row, publicKey } = await forger(t);
    const [, payload = "", signature = ""] = (await forge()).split(".");
    if (publicKey instanceof Uint8Array) throw new Error("An Ed25519 key is an object.");
    const jwk: unknown = JSON.parse(row.publicKey);
    const raw =
      typeof jwk === "object" && jwk !== null && "x" in jwk
        ? Buffer.from(String(jwk.x), "base64url")
        : Buffer.alloc(0);
    const header = { alg: "HS256", typ: "at+jwt", kid: row.keyId };
    const secrets = [await exportSPKI(publicKey), row.publicKey, raw];
    const hmacs = secrets.map((secret) => {
      const signed = `${base64(header)}.${payload}`;
      return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
    });
    const none = base64({ ...header, alg: "none" });
    const unsigned = [
      `${none}.${payload}.`,
      `${none}.${payload}.${signature}`,
      `${base64({ ...header, alg: "EdDSA" })}.${payload}.`,
      `${base64({ ...header, alg: "EdDSA", crit: ["exp"] })}.${payload}.${signature}`,
    ];
    for (const token of [...hmacs, ...unsigned]) {
      expect(await codeOf(t.as(token)), token).toBe("unauthenticated");
    }
  });

  test("of a clock that is a little ahead or behind are taken", async () => {
    await using t = await openTestAccess(dialect);
    const { forge, now } = await forger(t);
    const ahead = await forge({ claims: { nbf: now + 29, iat: now + 29 } });
    expect(await t.as(ahead)).toMatchObject({ username: "ada" });
    const behind = await forge({ claims: { exp: now - 29 } });
    expect(await t.as(behind)).toMatchObject({ username: "ada" });
  });

  test("are refused with their user, whatever their time", async () => {
    await using t = await openTestAccess(dialect);
    await t.user("ada", "admin:*");
    const { accessToken } = await t.access.login({ username: "ada", password }, here);
    await t.as(accessToken);
    await t.access.disableUser(operator, "ada");
    expect(await codeOf(t.as(accessToken))).toBe("unauthenticated");
    await t.access.enableUser(operator, "ada");
    expect(await codeOf(t.as(accessToken))).toBe("unauthenticated");
  });

  test("say what the user may do now, not when they were signed", async () => {
    await using t = await openTestAccess(dialect);
    await t.user("ada", "write:acme/*");
    const { accessToken } = await t.access.login({ username: "ada", password }, here);
    await t.access.setScopes(operator, "ada", ["read:acme/app"]);
    expect((await t.access.me(await t.as(accessToken))).scopes).toEqual(["read:acme/app"]);
  });

  test("stay valid when the key is rotated, in every process, until they expire", async () => {
    await using t = await openTestAccess(dialect);
    const other = await t.apart();
    await t.user("ada", "admin:*");
    const before = await t.access.login({ username: "ada", password }, here);
    await t.as(before.accessToken, other);
    const key = await t.access.rotateKey(operator);
    const after = await t.access.login({ username: "ada", password }, here);
    const elsewhere = await other.login({ username: "ada", password }, here);
    for (const { accessToken } of [before, after, elsewhere]) {
      expect(await t.as(accessToken)).toMatchObject({ username: "ada" });
      expect(await t.as(accessToken, other)).toMatchObject({ username: "ada" });
    }
    const { items } = await t.access.listKeys(operator);
    expect(items.map(({ retiredAt }) => retiredAt !== undefined)).toEqual([true, false]);
    expect(items[1]).toEqual(key);
    expect(JSON.stringify(items)).not.toContain('"d"');
    expect(await t.access.sweep()).toMatchObject({ keysRemoved: 0 });
    t.advance(17 * minute);
    expect(await t.access.sweep()).toMatchObject({ keysRemoved: 1 });
    expect(await codeOf(t.as(before.accessToken))).toBe("unauthenticated");
    expect(await t.access.refresh(before.refreshToken, here)).toBeDefined();
  });

  test("of a retired key are refused where they were signed afterwards", async () => {
    await using t = await openTestAccess(dialect);
    const { forge, now } = await forger(t);
    await t.access.rotateKey(operator);
    t.advance(2 * minute);
    await t.as(await forge());
    const later = { iat: now + 119, nbf: now + 119, exp: now + 900 };
    expect(await codeOf(t.as(await forge({ claims: later })))).toBe("unauthenticated");
  });

  test("of one instance are nothing in another", async () => {
    await using one = await openTestAccess(dialect);
    await using two = await openTestAccess(dialect);
    await one.user("ada");
    const { accessToken } = await one.access.login({ username: "ada", password }, here);
    expect(await codeOf(two.as(accessToken))).toBe("unauthenticated");
  });

  test("whatever else stands in the header is refused", async () => {
    await using t = await openTestAccess(dialect);
    const headers = ["", " ", "Bearer", "Bearer ", "Basic YWRhOmFkYQ==", "Bearer a b", "Bearer é"];
    headers.push(`Bearer ${"a".repeat(5_000)}`, "Bearer ..", "Bearer a.b.c", "bearerstore_");
    for (const header of headers) {
      expect(await codeOf(t.access.authenticate(header, here)), header).toBe("unauthenticated");
    }
    expect(await t.access.authenticate(undefined, here)).toMatchObject({ kind: "anonymous" });
    await expect(t.access.authenticate("store_x", here)).rejects.toThrow("write `Bearer`");
  });
});
