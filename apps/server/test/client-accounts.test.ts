import { createClient, uploadFiles, type Session } from "@store/client";
import { afterAll, beforeAll, expect, test } from "vitest";

import { openWholeServer, passwordOf, type WholeServer } from "./whole-server.ts";

let server: WholeServer;

beforeAll(async () => {
  server = await openWholeServer();
});
afterAll(() => server[Symbol.asyncDispose]());

test("sets an instance up, makes users and tokens, and takes them back", async () => {
  await using empty = await openWholeServer();
  const token = (await empty.access.setupToken()) ?? "";
  const ada = { username: "ada", password: "a horse of brass and a sword" };
  await createClient({ url: empty.url, credential: { token } }).createUser(ada);

  const client = createClient({ url: empty.url });
  await client.login(ada);
  expect(await client.me()).toMatchObject({ kind: "user", username: "ada" });
  const bob = { username: "bob", password: passwordOf("bob"), scopes: ["write:acme/*"] };
  const made = await client.createUser(bob);
  expect(made).toMatchObject({ username: "bob", scopes: ["write:acme/*"] });
  expect((await client.listUsers()).items.map(({ username }) => username)).toEqual(["ada", "bob"]);
  expect(await client.setUserScopes("bob", ["read:acme/*"])).toMatchObject({
    scopes: ["read:acme/*"],
  });
  await client.setUserPassword("bob", "another horse of brass");
  expect(await client.disableUser("bob")).toMatchObject({ disabledAt: expect.any(String) });
  expect(await client.enableUser("bob")).toEqual(await client.getUser("bob"));
  await expect(client.getUser("eve")).rejects.toMatchObject({ code: "user_not_found" });

  const created = await client.createToken({ name: "ci", expiresInSeconds: 60 });
  const byToken = createClient({ url: empty.url, credential: { token: created.token } });
  expect(await byToken.me()).toMatchObject({ kind: "token", expiresAt: created.expiresAt });
  expect((await client.listTokens({ all: true })).items).toMatchObject([{ id: created.id }]);
  await client.revokeToken(created.id);
  await expect(byToken.me()).rejects.toMatchObject({ code: "unauthenticated" });

  const key = await client.rotateKeys();
  expect((await client.listKeys()).items.map(({ id }) => id)).toContain(key.id);
  expect((await client.listRefusals()).items).toMatchObject([{ code: "unauthenticated" }]);
});

test("a session is refreshed once for many, and outlives what it was made of", async () => {
  await server.tokenFor("read:acme/*");
  const user = { username: "user-1", password: passwordOf("user-1") };
  const first = await createClient({ url: server.url }).login(user);
  const refreshed: Session[] = [];
  const client = createClient({
    url: server.url,
    credential: {
      ...first,
      // As if it had been kept for long.
      expiresAt: new Date(0).toISOString(),
      onRefreshed: (session) => void refreshed.push(session),
    },
  });
  await Promise.all(Array.from({ length: 10 }, () => client.me()));
  expect(refreshed).toHaveLength(1);
  // A refresh token that is used again ends its session: so none was.
  await client.changePassword({
    currentPassword: user.password,
    newPassword: "one more horse of brass",
  });
  await client.logout();
  const ended = createClient({ url: server.url, credential: { ...refreshed[0]!, expiresAt: "" } });
  await expect(ended.me()).rejects.toMatchObject({ code: "unauthenticated" });
});

test("a caller sees its own names only, in lists, objects and events", async () => {
  const as = async (...scopes: string[]) =>
    createClient({ url: server.url, credential: { token: await server.tokenFor(...scopes) } });
  const [mine, other] = [await as("write:mine/*"), await as("write:other/*")];
  const bytes = Buffer.alloc(200_000, "a secret");
  const files = [{ path: "a", open: () => new Blob([bytes]) }];
  const made = await mine.createPackage({ namespace: "mine", name: "app", version: "1.0.0" });
  expect(await uploadFiles(mine, made.id, files)).toMatchObject({ newObjects: 1 });
  await mine.finalizePackage(made.id);

  await expect(other.getPackage(made.id)).rejects.toMatchObject({ code: "package_not_found" });
  expect(await other.listPackages()).toEqual({ items: [] });
  const { items, scannedTo, head } = await other.readEvents({ after: 0, limit: 1000 });
  expect(items.filter(({ subject }) => subject.startsWith("mine/"))).toEqual([]);
  expect(scannedTo).toBe(head);

  // Knowing the digest is not having the bytes: they are sent once more.
  const theirs = await other.createPackage({ namespace: "other", name: "app", version: "1.0.0" });
  expect(await uploadFiles(other, theirs.id, files)).toMatchObject({
    sentBytes: bytes.byteLength,
    newObjects: 1,
  });
});
