import { describe, expect, it } from "vitest";

import { startTestServer } from "./service.ts";

const coordinates = { namespace: "acme", name: "app", version: "1.0.0" };

describe("a query", () => {
  it.each([
    ["a name that is unknown", "/api/v1/packages?colour=red", "unknown name"],
    ["a name where none is asked for", "/health?cache=1", "nothing is asked for"],
    ["a name twice", "/api/v1/packages?limit=1&limit=2", "'limit' twice"],
    ["a number that is none", "/api/v1/packages?limit=ten", "`limit`: it must be a whole number"],
    ["a number too small", "/api/v1/packages?limit=0", "`limit`"],
    ["a number too large", "/api/v1/packages?limit=1001", "`limit`"],
    ["a choice that is none", "/api/v1/packages?status=lost", "`status` must be"],
    ["nothing of what must be there", "/api/v1/resolve", "`ref` is missing"],
    ["an encoding that is none", "/api/v1/resolve?ref=%", "percent-encoded"],
    ["a member of every object", "/api/v1/packages?__proto__=1", "unknown name"],
  ])("with %s is refused, and named", async (_, target, reason) => {
    await using server = await startTestServer();
    const response = await server.call("owner", target);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      code: "invalid_argument",
      detail: expect.stringContaining(reason),
    });
  });

  it("has pluses that are pluses, since versions have them", async () => {
    await using server = await startTestServer();
    const made = await server.registry.createPackage({ ...coordinates, version: "1.0.0+7" });
    await server.registry.finalizePackage(made.id);
    for (const ref of ["acme/app@1.0.0+7", "acme%2Fapp%401.0.0%2B7"]) {
      const response = await server.call("owner", `/api/v1/resolve?ref=${ref}`);
      expect(await response.json()).toMatchObject({ package: { id: made.id } });
    }
  });
});

describe("a path", () => {
  it.each([
    ["a%25b", "a%b"],
    ["a%2525b", "a%25b"],
    ["d%2Fb", "d/b"],
    ["d/e/f", "d/e/f"],
    ["%C3%A4%3F%23", "ä?#"],
    ["a+b%20c", "a+b c"],
  ])("of %s means %s, decoded once", async (target, path) => {
    await using server = await startTestServer();
    const made = await server.registry.createPackage(coordinates);
    const put = await server.call("owner", `/api/v1/packages/${made.id}/files/${target}`, {
      method: "PUT",
      body: "x",
    });
    expect(await put.json()).toMatchObject({ path });
    expect((await server.registry.listFiles(made.id)).items).toMatchObject([{ path }]);
  });
});

describe("a JSON body", () => {
  const post = (body: RequestInit["body"], contentType?: string) => ({
    method: "POST",
    ...(body === undefined ? {} : { body }),
    ...(contentType === undefined ? {} : { headers: { "content-type": contentType } }),
  });

  it.each([
    ["no media type", undefined],
    ["another media type", "text/plain"],
    ["the type of a form", "application/x-www-form-urlencoded"],
    ["another charset", "application/json; charset=latin1"],
    ["a type that looks like it", "application/jsonp"],
  ])("with %s is not taken", async (_, contentType) => {
    await using server = await startTestServer();
    const body = Buffer.from(JSON.stringify(coordinates));
    const response = await server.call("owner", "/api/v1/packages", post(body, contentType));
    expect(response.status).toBe(415);
    expect(await response.json()).toMatchObject({ code: "unsupported_media_type" });
  });

  it("may say its charset", async () => {
    await using server = await startTestServer();
    const init = post(JSON.stringify(coordinates), 'Application/JSON; charset="UTF-8"');
    expect((await server.call("owner", "/api/v1/packages", init)).status).toBe(201);
  });

  it("is not taken where it is encoded", async () => {
    await using server = await startTestServer();
    const init = {
      ...post("{}"),
      headers: { "content-type": "application/json", "content-encoding": "gzip" },
    };
    expect((await server.call("owner", "/api/v1/packages", init)).status).toBe(415);
  });

  it.each([
    ["nothing", ""],
    ["no JSON", "{"],
    ["two texts", "{}{}"],
    ["no UTF-8", Buffer.from([0x7b, 0xff, 0x7d])],
    ["a key twice", '{"namespace":"a","namespace":"b"}'],
    ["a lone surrogate", '{"namespace":"\\ud800"}'],
    ["no object", "[]"],
    ["an unknown member", JSON.stringify({ ...coordinates, colour: "red" })],
    ["a member that is missing", JSON.stringify({ namespace: "acme" })],
    ["a member of another type", JSON.stringify({ ...coordinates, version: 1 })],
    ["metadata that is no object", JSON.stringify({ ...coordinates, metadata: [] })],
  ])("of %s is refused", async (_, body) => {
    await using server = await startTestServer();
    const response = await server.call("owner", "/api/v1/packages", post(body, "application/json"));
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: "invalid_json" });
  });

  it("is never shown again, for it may hold a secret", async () => {
    await using server = await startTestServer();
    const body = JSON.stringify({ username: "ada", password: 4711_0815 });
    const response = await server.call(undefined, "/auth/login", post(body, "application/json"));
    expect(response.status).toBe(400);
    const text = await response.text();
    expect(text).toContain("`password` must be string");
    expect(text).not.toContain("4711");
  });

  it("may be left out where everything in it may", async () => {
    await using server = await startTestServer();
    const made = await server.registry.createPackage(coordinates);
    await server.registry.finalizePackage(made.id);
    const path = `/api/v1/packages/${made.id}/yank`;
    expect((await server.call("owner", path, { method: "POST" })).status).toBe(200);
  });

  it("is refused where none is asked for", async () => {
    await using server = await startTestServer();
    const made = await server.registry.createPackage(coordinates);
    const path = `/api/v1/packages/${made.id}/finalize`;
    const response = await server.call("owner", path, post("{}", "application/json"));
    expect(response.status).toBe(400);
    expect((await server.registry.getPackage(made.id)).status).toBe("open");
  });
});
