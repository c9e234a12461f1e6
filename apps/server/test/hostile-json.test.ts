import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { startTestServer, type TestServer } from "./service.ts";

let server: TestServer;
let count = 0;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

/** Makes a package of which the metadata is this text, and gives the answer. */
async function create(metadata: string): Promise<Response> {
  count += 1;
  const body = `{"namespace":"acme","name":"app","version":"1.0.${count}","metadata":${metadata}}`;
  return await send("/api/v1/packages", body);
}

async function send(path: string, body: string | Uint8Array): Promise<Response> {
  const headers = { "content-type": "application/json" };
  const bytes = typeof body === "string" ? body : new Uint8Array(body);
  return await server.call("owner", path, { method: "POST", headers, body: bytes });
}

describe("JSON that is meant to hurt", () => {
  it.each([
    ["arrays in arrays", "[".repeat(1_000_000)],
    ["objects in objects", '{"a":'.repeat(300_000)],
    ["closed ones", `${"[".repeat(500_000)}${"]".repeat(500_000)}`],
    ["a text without an end", `"${"a".repeat(1_000_000)}`],
    ["a number of a million digits", "9".repeat(1_000_000)],
    ["escapes without an end", `"${"\\u0041".repeat(150_000)}`],
    ["a lone surrogate", '"\\ud800"'],
    ["surrogates in the wrong order", '{"a":"\\udc00\\ud800"}'],
    ["a lone surrogate as a name", '{"\\ud800":1}'],
    ["a name twice", '{"namespace":"acme","namespace":"beta","name":"app","version":"1"}'],
    ["a name twice, once escaped", '{"name":"app","\\u006eame":"b","namespace":"a","version":"1"}'],
    ["two values", '{"namespace":"acme"}{"name":"app"}'],
    ["a comment", '/* a */ {"namespace":"acme"}'],
    ["a comma too many", '{"namespace":"acme",}'],
    ["single quotes", "{'namespace':'acme'}"],
    ["no number", '{"namespace":NaN}'],
    ["a BOM", "\ufeff{}"],
    ["UTF-16", Buffer.from("{}", "utf16le")],
    ["bytes that are no text", Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
    ["an overlong NUL", Buffer.from([0x22, 0xc0, 0x80, 0x22])],
    ["an encoded surrogate", Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
    ["NULs", "\0".repeat(100)],
    ["nothing but spaces", " ".repeat(1_000_000)],
    ["members of an object's own", '{"__proto__":{"namespace":"acme","name":"a","version":"1"}}'],
  ])("is refused: %s", async (_, body) => {
    const response = await send("/api/v1/packages", body);
    expect([400, 413, 422]).toContain(response.status);
    expect(await response.json()).toHaveProperty("code");
    expect(server.failures).toEqual([]);
  });

  it.each([
    ["a number beyond all", '{"a":1e400}'],
    ["a number that loses digits", `{"a":${"9".repeat(400)}}`],
    ["a NUL", '{"a":"\\u0000"}'],
    ["a hundred thousand members", `{${many((index) => `"a${index}":${index}`)}}`],
    ["a hundred thousand items", `{"a":[${many(() => "0")}]}`],
    ["names that are numbers", `{${many((index) => `"${index}":0`)}}`],
    ["a name of half a megabyte", `{"${"a".repeat(500_000)}":1}`],
    ["names that are methods", '{"toString":1,"valueOf":2,"hasOwnProperty":3,"then":4}'],
    ["control characters, escaped", '{"\\u0007":"\\u001b[31m"}'],
    ["bidirectional text", '{"\\u202e":"\\u2066"}'],
    ["numbers near nothing", '{"a":5e-324,"b":1e-300}'],
  ])("is taken as it is or refused, and no failure: %s", async (_, metadata) => {
    const response = await create(metadata);
    expect([201, 400, 413, 422]).toContain(response.status);
    const json = (await response.json()) as Record<string, unknown>;
    if (response.status === 201) expect(json.metadata).toEqual(JSON.parse(metadata));
    else expect(json).toHaveProperty("code");
    expect(server.failures).toEqual([]);
  });

  it("has members of any name, which change nothing but itself", async () => {
    const text = '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}';
    const response = await create(text);
    expect(response.status).toBe(201);
    const body = await response.text();
    expect(body).toContain(`"metadata":${text}`);
    const { id } = JSON.parse(body) as { id: string };
    const shown = await (await server.call("owner", `/api/v1/packages/${id}`)).text();
    expect(shown).toContain(`"metadata":${text}`);
    expect({}).not.toHaveProperty("polluted");
  });

  it("is no schema that takes for ever", async () => {
    const schemas = [
      { type: "object", properties: { a: { pattern: "^(a+)+$" } } },
      { $ref: "https://example.org/schema.json" },
      { $ref: "file:///etc/passwd" },
      { $ref: "#" },
      { type: "object", patternProperties: { "(": {} } },
      { allOf: Array.from({ length: 2_000 }, () => ({ $ref: "#" })) },
      { $defs: { a: { $ref: "#/$defs/b" }, b: { $ref: "#/$defs/a" } }, $ref: "#/$defs/a" },
    ];
    for (const [index, schema] of schemas.entries()) {
      const name = `hostile-${index}`;
      const response = await send("/api/v1/schemas", JSON.stringify({ name, schema }));
      expect([201, 400, 413, 422]).toContain(response.status);
      if (response.status !== 201) continue;
      const version = `9.0.${index}`;
      const described = { namespace: "acme", name: "app", version, metadata_schema: name };
      const body = { ...described, metadata: { a: `${"a".repeat(50)}!` } };
      const made = await send("/api/v1/packages", JSON.stringify(body));
      expect([201, 413, 422]).toContain(made.status);
    }
    expect((await server.call(undefined, "/health")).status).toBe(200);
    expect(server.failures).toEqual([]);
  });
});

function many(member: (index: number) => string): string {
  return Array.from({ length: 100_000 }, (_, index) => member(index)).join();
}

describe("a cursor that no list gave", () => {
  const encoded = (value: unknown): string =>
    Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
  const key = ["acme", "app", "1", "", "x"];
  it.each([
    ["that is huge", "A".repeat(8_000)],
    ["that is longer than a target", "A".repeat(10_000)],
    ["of a list in lists", encoded("[".repeat(5_000))],
    ["of another list", encoded(["names", ["acme", "app"]])],
    ["with too few parts", encoded(["packages", key.slice(1)])],
    ["with too many parts", encoded(["packages", [...key, "more"]])],
    ["with numbers", encoded(["packages", [1, 2, 3, 4, 5]])],
    ["with a number beyond all", encoded('["versions",["1",1e400]]')],
    ["with objects", encoded(["packages", key.map((text) => ({ text }))])],
    ["with NULs", encoded(["packages", key.map((text) => `${text}\0`)])],
    ["with a lone surrogate", encoded('["packages",["\\ud800","","","",""]]')],
    ["with long texts", encoded(["packages", key.map(() => "x".repeat(1_100))])],
    ["that is no base64", "%F0%9F%9A%80"],
    ["that is no UTF-8", Buffer.from([0xff, 0xfe]).toString("base64url")],
    ["that is a prototype", encoded('{"__proto__":["packages",[]]}')],
    ["that is nothing", ""],
  ])("is refused, or a place like another: %s", async (_, cursor) => {
    const paths = ["packages", "names", "holds", "schemas", "uploads", "names/acme/app/versions"];
    for (const path of [...paths, "names/acme/app/tags", "packages?q=a"]) {
      const separator = path.includes("?") ? "&" : "?";
      const response = await server.call("owner", `/api/v1/${path}${separator}cursor=${cursor}`);
      expect([200, 400, 414]).toContain(response.status);
      await response.arrayBuffer();
    }
    expect(server.failures).toEqual([]);
  });
});
