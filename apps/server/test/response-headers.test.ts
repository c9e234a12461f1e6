import { describe, expect, it } from "vitest";

import { startTestServer } from "./service.ts";

const origin = "https://web.example.org";

describe("every answer", () => {
  it.each(["/health", "/nowhere", "/api/v1/packages", "/docs", "/openapi.json"])(
    "to %s says what browsers may not do with it",
    async (path) => {
      await using server = await startTestServer();
      const { headers } = await server.call(undefined, path);
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("content-security-policy")).toMatch(
        /^default-src 'none';.*frame-ancestors 'none'/,
      );
      expect(headers.get("referrer-policy")).toBe("no-referrer");
      expect(headers.get("cross-origin-resource-policy")).toBe("same-origin");
      expect(headers.get("x-request-id")).not.toBeNull();
      expect(headers.get("access-control-allow-origin")).toBeNull();
      expect(headers.get("strict-transport-security")).toBeNull();
      expect(headers.get("x-powered-by")).toBeNull();
    },
  );

  it("is kept by nobody where it is JSON", async () => {
    await using server = await startTestServer();
    const { headers } = await server.call("owner", "/api/v1/packages");
    expect(headers.get("cache-control")).toBe("no-store");
    expect(headers.get("content-type")).toBe("application/json");
  });

  it("keeps browsers with https where callers reach the server so", async () => {
    const environment = { STORE_PUBLIC_URL: "https://store.example.org" };
    await using server = await startTestServer({ environment });
    const { headers } = await server.call(undefined, "/health");
    expect(headers.get("strict-transport-security")).toBe("max-age=31536000");
  });
});

/** Read by browsers themselves, or by every page (Fetch Standard, CORS-safelisted names). */
const notForPages = new RegExp(
  "^(?:access-control-.*|cache-control|connection|content-(?:length|security-policy|type)|" +
    "cross-origin-resource-policy|date|keep-alive|referrer-policy|vary|x-content-type-options)$",
);

describe("a page of another origin", () => {
  const preflight = (asking: string) => ({
    method: "OPTIONS",
    headers: {
      origin: asking,
      "access-control-request-method": "PUT",
      "access-control-request-headers": "authorization,content-type",
    },
  });

  it("may call nothing unless it is let in", async () => {
    await using server = await startTestServer();
    const asked = await server.call(undefined, "/api/v1/packages", preflight(origin));
    expect(asked.status).toBe(405);
    const { headers } = await server.call("owner", "/api/v1/packages", { headers: { origin } });
    expect(headers.get("access-control-allow-origin")).toBeNull();
  });

  it("may call where its origin is one of those that are let in, and no other", async () => {
    const environment = { STORE_CORS_ORIGINS: `https://other.example.org, ${origin}` };
    await using server = await startTestServer({ environment });
    const path = "/api/v1/names/acme/app/tags/stable";
    const asked = await server.call(undefined, path, preflight(origin));
    expect(asked.status).toBe(204);
    expect(asked.headers.get("access-control-allow-origin")).toBe(origin);
    expect(asked.headers.get("access-control-allow-methods")).toBe("PUT, DELETE");
    expect(asked.headers.get("access-control-allow-headers")).toBe("authorization,content-type");
    expect(asked.headers.get("access-control-allow-credentials")).toBeNull();

    const { headers } = await server.call("owner", "/api/v1/packages", { headers: { origin } });
    expect(headers.get("access-control-allow-origin")).toBe(origin);
    expect(headers.get("access-control-expose-headers")).toContain("Upload-Offset");
    expect(headers.get("vary")).toBe("Origin");
    // A page must be able to read why it was refused, too.
    const refused = await server.call(undefined, "/api/v1/packages", { headers: { origin } });
    expect(refused.headers.get("access-control-allow-origin")).toBe(origin);

    for (const stranger of ["https://evil.example.org", "null", `${origin}.evil.org`]) {
      const answer = await server.call(undefined, path, preflight(stranger));
      expect(answer.status).toBe(405);
      expect(answer.headers.get("access-control-allow-origin")).toBeNull();
      expect(answer.headers.get("vary")).toBe("Origin");
    }
  });

  it("may read all that an answer says of a file", async () => {
    await using server = await startTestServer({ environment: { STORE_CORS_ORIGINS: origin } });
    const { id } = await server.registry.createPackage({
      namespace: "acme",
      name: "app",
      version: "1.0.0",
    });
    const options = { mediaType: "text/plain", executable: true };
    await server.registry.ingestFile(id, "a.txt", new Blob(["abc"]).stream(), options);
    const path = `/api/v1/packages/${id}/files/a.txt`;
    const { headers } = await server.call("owner", path, { headers: { origin } });
    const exposed = headers.get("access-control-expose-headers")?.toLowerCase().split(", ");
    const said = [...headers.keys()].filter((name) => !notForPages.test(name));
    expect(said).toContain("store-executable");
    expect(said).toContain("store-media-type");
    expect(exposed).toEqual(expect.arrayContaining(said));
  });

  it("may call whatever its origin where all are let in", async () => {
    await using server = await startTestServer({ environment: { STORE_CORS_ORIGINS: "*" } });
    const { headers } = await server.call(undefined, "/health", { headers: { origin } });
    expect(headers.get("access-control-allow-origin")).toBe(origin);
  });
});
