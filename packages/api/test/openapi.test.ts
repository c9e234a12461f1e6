import { describe, expect, it } from "vitest";

import { openApiDocument, routes, type Route } from "../src/index.ts";

interface Operation {
  readonly operationId: string;
  readonly parameters: readonly { in: string; name: string; required: boolean }[];
  readonly security?: readonly unknown[];
  readonly requestBody?: { readonly content: Readonly<Record<string, unknown>> };
  readonly responses: Readonly<Record<string, unknown>>;
}

const document = openApiDocument({ version: "1.2.3" });
const paths = document.paths as Readonly<Record<string, Readonly<Record<string, Operation>>>>;
const all = Object.entries<Route>(routes);

describe("the OpenAPI document", () => {
  it("names its version and every operation once", () => {
    expect(document).toMatchObject({ openapi: "3.1.1", info: { version: "1.2.3" } });
    const operations = Object.values(paths).flatMap((path) => Object.values(path));
    const names = operations.map((operation) => operation.operationId);
    expect(names.toSorted()).toEqual(Object.keys(routes).toSorted());
  });

  it.each(all)("gives %s every parameter of its path, and a default error", (_, route) => {
    const operation = paths[route.path]?.[route.method.toLowerCase()];
    const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
    const stated = operation?.parameters.filter((one) => one.in === "path") ?? [];
    expect(stated.map((one) => one.name)).toEqual(inPath);
    expect(stated.every((one) => one.required)).toBe(true);
    expect(operation?.responses).toHaveProperty("default");
  });

  it("asks for a credential unless a route is public", () => {
    for (const [, route] of all) {
      const { security } = paths[route.path]?.[route.method.toLowerCase()] ?? {};
      expect(security).toEqual(route.access === "public" ? [] : undefined);
    }
  });

  it("describes what comes over the wire, not what it is turned into", () => {
    const list = paths["/api/v1/packages"]?.get;
    const limit = list?.parameters.find((one) => one.name === "limit");
    expect(limit).toMatchObject({ in: "query", required: false, schema: { type: "string" } });
    const body = paths["/api/v1/packages"]?.post?.requestBody?.content["application/json"];
    expect(body).toMatchObject({
      schema: {
        required: ["namespace", "name", "version"],
        additionalProperties: false,
        properties: { namespace: { pattern: "^[a-z0-9][a-z0-9._-]{0,127}$" } },
      },
    });
  });

  it("says where a body may be left out", () => {
    const { post } = paths["/api/v1/packages/{packageId}/yank"] ?? {};
    expect(post?.requestBody).toMatchObject({ required: false });
    expect(paths["/api/v1/packages"]?.post?.requestBody).toMatchObject({ required: true });
  });

  it("is the same text each time", () => {
    expect(JSON.stringify(openApiDocument({ version: "1.2.3" }))).toBe(JSON.stringify(document));
  });
});

describe("the routes", () => {
  it("have no two of one method and path", () => {
    const places = all.map(([, { method, path }]) => `${method} ${path}`);
    expect(new Set(places).size).toBe(places.length);
  });
});
