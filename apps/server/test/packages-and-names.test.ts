import { holdSchema, nameSchema, packageSchema, packageSummarySchema, tagSchema } from "@store/api";
import * as v from "valibot";
import { describe, expect, it } from "vitest";

import { startTestServer, type TestServer } from "./service.ts";

/** A page of a list, of items that the contract describes. */
const pageOf = <S extends v.GenericSchema>(item: S) =>
  v.object({ items: v.array(item), cursor: v.optional(v.string()) });

const coordinates = { namespace: "acme", name: "app", version: "1.0.0" };

interface Answer<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly json: T;
}

/** Calls as the owner with JSON, and gives the answer with its JSON. */
async function call(
  server: TestServer,
  method: string,
  target: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer<unknown>> {
  const response = await server.call("owner", target, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
  });
  const text = await response.text();
  const json: unknown = text === "" ? undefined : JSON.parse(text);
  return { status: response.status, headers: response.headers, json };
}

/** The same, where the answer must be what the contract says. */
async function callFor<S extends v.GenericSchema>(
  schema: S,
  ...rest: Parameters<typeof call>
): Promise<Answer<v.InferOutput<S>>> {
  const answer = await call(...rest);
  return { ...answer, json: v.parse(schema, answer.json) };
}

async function finalized(server: TestServer, version: string): Promise<string> {
  const { id } = await server.registry.createPackage({ ...coordinates, version });
  await server.registry.finalizePackage(id);
  return id;
}

describe("a package over HTTP", () => {
  it("is opened, shown, finalized, yanked and taken back", async () => {
    await using server = await startTestServer();
    const metadata = { built: { by: "ci", constructor: [1, 2.5, null] } };
    const made = await callFor(packageSchema, server, "POST", "/api/v1/packages", {
      ...coordinates,
      metadata,
      retention_class: "release",
      source: "git:1234",
    });
    expect(made.status).toBe(201);
    expect(made.json).toMatchObject({
      ...coordinates,
      status: "open",
      metadata,
      source: "git:1234",
    });
    const path = made.headers.get("location") ?? "";
    expect(path).toBe(`/api/v1/packages/${made.json.id}`);
    expect((await call(server, "GET", path)).json).toEqual(made.json);

    const done = await call(server, "POST", `${path}/finalize`);
    expect(done.json).toMatchObject({
      package: { status: "finalized", retention_class: "release" },
      manifest_digest: expect.stringMatching(/^blake3:[0-9a-f]{64}$/),
    });
    const yanked = await call(server, "POST", `${path}/yank`, { reason: "broken" });
    expect(yanked.json).toMatchObject({ status: "yanked", yank_reason: "broken" });
    const back = await callFor(packageSummarySchema, server, "POST", `${path}/unyank`);
    expect(back.json.status).toBe("finalized");
    expect(back.json).not.toHaveProperty("yank_reason");
    const verified = await call(server, "POST", `${path}/verify`);
    expect(verified.json).toMatchObject({ reference: "acme/app@1.0.0", problems: [] });
  });

  it("is made once, however often the request with one key is repeated", async () => {
    await using server = await startTestServer();
    const key = { "idempotency-key": "build-7" };
    const first = await call(server, "POST", "/api/v1/packages", coordinates, key);
    const again = await call(server, "POST", "/api/v1/packages", coordinates, key);
    expect(again).toMatchObject({ status: 201, json: first.json });
    const other = { ...coordinates, version: "2" };
    const refused = await call(server, "POST", "/api/v1/packages", other, key);
    expect(refused).toMatchObject({ status: 409, json: { code: "idempotency_conflict" } });
    const none = await call(server, "POST", "/api/v1/packages", coordinates, {
      "idempotency-key": "ä",
    });
    expect(none).toMatchObject({ status: 400, json: { code: "invalid_argument" } });
  });

  it("is abandoned by DELETE while it is open, and yanked once it is finalized", async () => {
    await using server = await startTestServer();
    const open = await server.registry.createPackage(coordinates);
    const path = `/api/v1/packages/${open.id}`;
    expect((await call(server, "DELETE", path)).status).toBe(204);
    expect(await call(server, "GET", path)).toMatchObject({
      status: 404,
      json: { code: "package_not_found" },
    });

    const id = await finalized(server, "2.0.0");
    expect((await call(server, "DELETE", `/api/v1/packages/${id}`)).status).toBe(204);
    expect((await server.registry.getPackage(id)).status).toBe("yanked");
  });

  it("keeps the reason for which it was yanked when DELETE asks again", async () => {
    await using server = await startTestServer();
    const id = await finalized(server, "1.0.0");
    await server.registry.yankPackage(id, { reason: "broken" });
    expect((await call(server, "DELETE", `/api/v1/packages/${id}`)).status).toBe(204);
    expect(await server.registry.getPackage(id)).toMatchObject({ yankReason: "broken" });
  });

  it("is listed page by page, by what is asked for", async () => {
    await using server = await startTestServer();
    for (const version of ["1.0.0", "1.1.0", "2.0.0"]) await finalized(server, version);
    await server.registry.createPackage({ namespace: "beta", name: "tool", version: "1" });
    const versions: string[] = [];
    let cursor: string | undefined;
    do {
      const after = cursor === undefined ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const target = `/api/v1/packages?namespace=acme&name=app&status=finalized&limit=2${after}`;
      const { json } = await callFor(pageOf(packageSummarySchema), server, "GET", target);
      expect(json.items.length).toBeLessThanOrEqual(2);
      versions.push(...json.items.map(({ version }) => version));
      ({ cursor } = json);
    } while (cursor !== undefined);
    expect(versions).toEqual(["1.0.0", "1.1.0", "2.0.0"]);

    const found = await callFor(
      pageOf(packageSummarySchema),
      server,
      "GET",
      "/api/v1/packages?q=to",
    );
    expect(found.json.items).toMatchObject([{ reference: "beta/tool@1", status: "open" }]);
    const wrong = await call(server, "GET", "/api/v1/packages?cursor=nonsense");
    expect(wrong).toMatchObject({ status: 400, json: { code: "invalid_cursor" } });
  });

  it("of another namespace does not exist, whatever is asked", async () => {
    await using server = await startTestServer();
    const other = await server.registry.createPackage({ ...coordinates, namespace: "beta" });
    for (const [method, suffix, body] of [
      ["GET", ""],
      ["POST", "/finalize"],
      ["POST", "/yank", "{}"],
      ["POST", "/verify"],
      ["GET", "/retention"],
    ] as const) {
      const answers = [other.id, "01890a5d-ac96-774b-bcce-b302099a8057"].map(async (id) => {
        const response = await server.call("writer", `/api/v1/packages/${id}${suffix}`, {
          method,
          headers: { "content-type": "application/json" },
          ...(body === undefined ? {} : { body }),
        });
        const text = await response.text();
        return [response.status, text.replaceAll(/"requestId":"[^"]+"/g, "").replaceAll(id, "")];
      });
      const [hidden, absent] = await Promise.all(answers);
      expect(hidden).toEqual(absent);
      expect(hidden?.[0]).toBe(404);
    }
    expect((await server.registry.getPackage(other.id)).status).toBe("open");
  });
});

describe("how long a package is kept", () => {
  it("is shown and set, and held against", async () => {
    await using server = await startTestServer();
    const id = await finalized(server, "1.0.0");
    const path = `/api/v1/packages/${id}`;
    expect((await call(server, "GET", `${path}/retention`)).json).toMatchObject({
      package_id: id,
      class: "standard",
    });
    const set = await call(server, "PUT", `${path}/retention`, { class: "audit" });
    expect(set.json).toMatchObject({ class: "audit", set_by: "owner" });
    const classes = await callFor(pageOf(v.unknown()), server, "GET", "/api/v1/retention-classes");
    expect(classes.json.items).toContainEqual({ name: "ephemeral", duration_days: 7 });
    expect(classes.json.items).toContainEqual({ name: "permanent" });

    const held = await callFor(holdSchema, server, "POST", `${path}/holds`, { reason: "a case" });
    expect(held).toMatchObject({ status: 201, json: { reason: "a case", package_id: id } });
    const target = `/api/v1/holds?package_id=${id}&released=false`;
    const holds = await callFor(pageOf(holdSchema), server, "GET", target);
    expect(holds.json.items).toEqual([held.json]);
    const released = await call(server, "DELETE", `/api/v1/holds/${held.json.id}`);
    expect(released.json).toMatchObject({ id: held.json.id, released_by: "owner" });
    expect((await call(server, "GET", target)).json).toEqual({ items: [] });
  });
});

describe("a name", () => {
  it("shows its latest package, its versions and its tags", async () => {
    await using server = await startTestServer();
    const [, second] = [await finalized(server, "1.0.0"), await finalized(server, "2.0.0-rc.1")];
    await server.registry.setTag({ packageId: second, tag: "next" });
    const shown = await call(server, "GET", "/api/v1/names/acme/app");
    expect(shown.json).toMatchObject({
      namespace: "acme",
      name: "app",
      latest: { version: "1.0.0" },
      versions: { items: [{ version: "2.0.0-rc.1" }, { version: "1.0.0" }] },
      tags: { items: [{ tag: "next", reference: "acme/app@2.0.0-rc.1" }] },
    });
    const names = await callFor(pageOf(nameSchema), server, "GET", "/api/v1/names?namespace=acme");
    expect(names.json.items).toMatchObject([{ name: "app", package_count: 2 }]);
    const versions = await callFor(
      pageOf(packageSummarySchema),
      server,
      "GET",
      "/api/v1/names/acme/app/versions?limit=1",
    );
    expect(versions.json).toMatchObject({ items: [{ version: "2.0.0-rc.1" }] });
    expect(versions.json.cursor).toEqual(expect.any(String));
    const tags = await callFor(pageOf(tagSchema), server, "GET", "/api/v1/names/acme/app/tags");
    expect(tags.json.items).toMatchObject([{ tag: "next", version: "2.0.0-rc.1" }]);
  });

  it("that nobody has is not found", async () => {
    await using server = await startTestServer();
    const answer = await call(server, "GET", "/api/v1/names/acme/none");
    expect(answer).toMatchObject({ status: 404, json: { code: "package_not_found" } });
  });

  it("resolves to a package, with the warning that it was yanked", async () => {
    await using server = await startTestServer();
    const id = await finalized(server, "1.0.0");
    await server.registry.yankPackage(id, { reason: "broken" });
    const answer = await call(server, "GET", "/api/v1/resolve?ref=acme/app@1.0.0");
    expect(answer.json).toMatchObject({
      reference: "acme/app@1.0.0",
      package: { id, status: "yanked" },
      warnings: [expect.stringContaining("broken")],
    });
    const latest = await call(server, "GET", "/api/v1/resolve?ref=acme/app");
    expect(latest).toMatchObject({ status: 404, json: { code: "package_not_found" } });
  });
});

describe("a tag", () => {
  const path = "/api/v1/names/acme/app/tags/stable";

  it("moves only from where the caller saw it", async () => {
    await using server = await startTestServer();
    const [first, second] = [await finalized(server, "1"), await finalized(server, "2")];
    const none = { "if-none-match": "*" };
    const set = await callFor(tagSchema, server, "PUT", path, { package_id: first }, none);
    expect(set).toMatchObject({ status: 200, json: { tag: "stable", package_id: first } });
    expect(set.headers.get("etag")).toBe(`"${first}"`);
    expect(await call(server, "PUT", path, { package_id: second }, none)).toMatchObject({
      status: 412,
      json: { code: "tag_conflict" },
    });
    const seen = { "if-match": set.headers.get("etag") ?? "" };
    expect((await call(server, "PUT", path, { package_id: second }, seen)).status).toBe(200);
    expect(await call(server, "DELETE", path, undefined, seen)).toMatchObject({
      status: 412,
      json: { code: "tag_conflict" },
    });
    expect((await call(server, "PUT", path, { package_id: first })).status).toBe(200);
    expect((await call(server, "DELETE", path, undefined, seen)).status).toBe(204);
    expect((await server.registry.listTags("acme", "app")).items).toEqual([]);
  });

  it.each([
    ["a weak tag", { "if-match": 'W/"a"' }],
    ["several tags", { "if-match": '"a", "b"' }],
    ["any tag", { "if-match": "*" }],
    ["no tag of one name", { "if-none-match": '"a"' }],
    ["both", { "if-match": '"a"', "if-none-match": "*" }],
  ])("cannot have %s as its condition", async (_, headers) => {
    await using server = await startTestServer();
    const id = await finalized(server, "1");
    const answer = await call(server, "PUT", path, { package_id: id }, headers);
    expect(answer).toMatchObject({ status: 400, json: { code: "invalid_argument" } });
  });

  it("of one name cannot target a package of another", async () => {
    await using server = await startTestServer();
    const id = await finalized(server, "1");
    const elsewhere = "/api/v1/names/acme/other/tags/stable";
    const answer = await call(server, "PUT", elsewhere, { package_id: id });
    expect(answer.status).toBe(404);
    expect((await server.registry.listTags("acme", "app")).items).toEqual([]);
  });
});

describe("a metadata schema", () => {
  it("is registered, listed and shown", async () => {
    await using server = await startTestServer();
    const schema = { type: "object", properties: { constructor: { type: "string" } } };
    const body = { name: "facts", schema };
    const made = await call(server, "POST", "/api/v1/schemas", body);
    expect(made).toMatchObject({ status: 201, json: { name: "facts", revision: 1, schema } });
    const list = await callFor(pageOf(v.looseObject({})), server, "GET", "/api/v1/schemas");
    expect(list.json.items).toMatchObject([{ name: "facts", revision: 1 }]);
    expect(list.json.items[0]).not.toHaveProperty("schema");
    expect((await call(server, "GET", "/api/v1/schemas/facts@1")).json).toEqual(made.json);
    expect((await call(server, "GET", "/api/v1/schemas/other")).status).toBe(404);
  });
});
