import { expect, test } from "vitest";

import type { Session } from "../src/index.ts";
import { cut, empty, json, openDouble, problem, type Answer } from "./double.ts";
import { inChunks, packageId, packageJson } from "./samples.ts";

const fresh = {
  access_token: "access-2",
  token_type: "Bearer",
  expires_in: 600,
  refresh_token: "refresh-2",
  refresh_expires_in: 86_400,
};

/** Accepts the second access token only, and gives it for the first refresh token, slowly. */
const server: Answer = async (request, response) => {
  if (request.url === "/auth/refresh") {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return json(200, fresh)(request, response);
  }
  const isGood = request.headers.authorization === "Bearer access-2";
  return (isGood ? json(200, packageJson) : problem(401, "unauthenticated"))(request, response);
};

test("refreshes a session once for all who wait, keeps the tokens first, and goes on", async () => {
  const double = await openDouble();
  double.answer(server);
  const kept: Session[] = [];
  const client = double.client({
    credential: {
      accessToken: "access-1",
      refreshToken: "refresh-1",
      onRefreshed: (session) => void kept.push(session),
    },
  });
  await Promise.all(Array.from({ length: 8 }, () => client.getPackage(packageId)));
  expect(double.seen.filter(({ url }) => url === "/auth/refresh")).toHaveLength(1);
  expect(kept).toMatchObject([{ accessToken: "access-2", refreshToken: "refresh-2" }]);
  await client.getPackage(packageId);
  expect(double.seen.at(-1)?.headers.authorization).toBe("Bearer access-2");
});

test("refreshes before the access token ends, so that no upload is refused for it", async () => {
  const double = await openDouble();
  double.answer(server);
  const client = double.client({
    credential: {
      accessToken: "access-1",
      refreshToken: "refresh-1",
      expiresAt: new Date(Date.now() - 1).toISOString(),
    },
  });
  // What the server answers is no file; it was let in, which is what counts.
  await expect(
    client.ingestFile(packageId, "a", inChunks(new Uint8Array(10))),
  ).rejects.toMatchObject({ code: "internal" });
  expect(double.seen.map(({ url }) => url)).toEqual([
    "/auth/refresh",
    `/api/v1/packages/${packageId}/files/a`,
  ]);
});

test("throws what refuses the refresh token, and never sends that twice", async () => {
  const double = await openDouble();
  double.answer(problem(401, "unauthenticated"));
  const credential = { accessToken: "access-1", refreshToken: "refresh-1" };
  await expect(double.client({ credential }).me()).rejects.toMatchObject({
    code: "unauthenticated",
  });
  expect(double.seen.map(({ url }) => url)).toEqual(["/auth/me", "/auth/refresh"]);
});

test("does not send a refresh token again to which no answer came", async () => {
  const double = await openDouble();
  double.answer(problem(401, "unauthenticated"), cut);
  const credential = { accessToken: "access-1", refreshToken: "refresh-1" };
  await expect(double.client({ credential }).me()).rejects.toMatchObject({
    code: "storage_unavailable",
  });
  expect(double.seen).toHaveLength(2);
});

test("asks a function for each request, and once more when its token is refused", async () => {
  const double = await openDouble();
  double.answer(problem(401, "unauthenticated"), json(200, packageJson));
  let count = 0;
  const client = double.client({ credential: () => Promise.resolve(`token-${(count += 1)}`) });
  await client.getPackage(packageId);
  expect(double.seen[1]?.headers.authorization).toBe("Bearer token-3");
});

test("does not repeat with an API token that is refused", async () => {
  const double = await openDouble();
  double.answer(problem(401, "unauthenticated"));
  await expect(double.client({ credential: { token: "store_x" } }).me()).rejects.toMatchObject({
    code: "unauthenticated",
  });
  expect(double.seen).toHaveLength(1);
});

test("logs in, uses the session, and forgets it on logging out", async () => {
  const double = await openDouble();
  double.answer(
    json(200, fresh),
    json(200, packageJson),
    empty(204),
    problem(401, "unauthenticated"),
  );
  const client = double.client();
  const session = await client.login({ username: "ada", password: "correct horse battery" });
  expect(Date.parse(session.expiresAt ?? "")).toBeGreaterThan(Date.now());
  await client.getPackage(packageId);
  await client.logout();
  await expect(client.me()).rejects.toMatchObject({ code: "unauthenticated" });
  expect(double.seen.map(({ headers }) => headers.authorization)).toEqual([
    undefined,
    "Bearer access-2",
    "Bearer access-2",
    undefined,
  ]);
});
