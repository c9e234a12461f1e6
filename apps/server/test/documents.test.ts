import { hash } from "node:crypto";

import { routes } from "@store/api";
import { describe, expect, it } from "vitest";

import { openApiProblems } from "./openapi-rules.ts";
import { startTestServer } from "./service.ts";

describe("GET /openapi.json", () => {
  it("is an OpenAPI 3.1 document of every route", async () => {
    await using server = await startTestServer();
    const response = await server.call(undefined, "/openapi.json");
    expect(response.headers.get("content-type")).toBe("application/json");
    const document: unknown = await response.json();
    expect(await openApiProblems(document)).toEqual([]);
    expect(await openApiProblems({ ...(document as object), paths: { x: 1 } })).not.toEqual([]);
    expect(document).toMatchObject({ info: { version: expect.stringMatching(/^\d+\.\d+\.\d+/) } });
  });

  it("is not sent again to whoever has it", async () => {
    await using server = await startTestServer();
    for (const path of ["/openapi.json", "/docs"]) {
      const first = await server.call(undefined, path);
      const etag = first.headers.get("etag") ?? "";
      await first.arrayBuffer();
      const again = await server.call(undefined, path, { headers: { "if-none-match": etag } });
      expect(again.status).toBe(304);
      expect(await again.text()).toBe("");
    }
  });
});

describe("the documents", () => {
  it("have entity tags of their own, which are those of their bytes", async () => {
    await using server = await startTestServer();
    for (const path of ["/openapi.json", "/docs"]) {
      const response = await server.call(undefined, path);
      const digest = hash("sha256", await response.text(), "base64url");
      expect(response.headers.get("etag")).toBe(`"${digest}"`);
    }
  });
});

describe("GET /docs", () => {
  const page = async (): Promise<{ readonly text: string; readonly policy: string }> => {
    await using server = await startTestServer();
    const response = await server.call(undefined, "/docs");
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
    const policy = response.headers.get("content-security-policy") ?? "";
    return { text: await response.text(), policy };
  };

  it("shows every operation with its place and an example", async () => {
    const { text } = await page();
    for (const [name, route] of Object.entries(routes)) {
      expect(text).toContain(`<article id="${name}">`);
      expect(text).toContain(`</span> ${route.path}</p>`);
    }
    expect(text.match(/<h4>Example<\/h4>/g)).toHaveLength(Object.keys(routes).length);
    expect(text).toContain("-d &#39;{&quot;namespace&quot;:&quot;acme&quot;");
  });

  it("shows the shape of what goes in and comes out", async () => {
    const { text } = await page();
    expect(text).toContain("{\n  reason?: string,\n}");
    expect(text).toContain("{\n  status: &quot;ok&quot;,\n}");
    expect(text).toMatch(
      /  items: \[\{\n    reference: string,<span class="note">  \/\/ A reference/,
    );
  });

  it("loads nothing from anywhere, and runs nothing", async () => {
    const { text, policy } = await page();
    expect(text).not.toMatch(/<(script|link|img|iframe|object|embed|base|form|input|svg)\b/i);
    expect(text).not.toMatch(/\b(src|srcset|action|on\w+|style)=/i);
    expect(text).not.toMatch(/@import|url\(/i);
    const links = [...text.matchAll(/href="([^"]*)"/g)].map((match) => match[1] ?? "");
    expect(links.filter((link) => !link.startsWith("#"))).toEqual(["/openapi.json"]);
    expect(text).not.toMatch(/https?:\/\//);
    expect(policy).not.toMatch(/unsafe|https?:|\*|'self'/);
  });

  it("has links that lead somewhere", async () => {
    const { text } = await page();
    const ids = new Set([...text.matchAll(/ id="([^"]+)"/g)].map((match) => match[1]));
    for (const [, target] of text.matchAll(/href="#([^"]+)"/g)) expect(ids).toContain(target);
  });

  it("has the one style that its content policy allows", async () => {
    const { text, policy } = await page();
    const styles = [...text.matchAll(/<style>([^]*?)<\/style>/g)].map((match) => match[1] ?? "");
    expect(styles).toHaveLength(1);
    const bytes = await crypto.subtle.digest("SHA-256", Buffer.from(styles[0] ?? ""));
    expect(policy).toContain(`style-src 'sha256-${Buffer.from(bytes).toString("base64")}';`);
  });

  it("closes what it opens", async () => {
    const { text } = await page();
    const open: string[] = [];
    for (const [, end, name = ""] of text.matchAll(/<(\/?)([a-z][a-z0-9]*)\b[^>]*>/g)) {
      if (["meta"].includes(name)) continue;
      if (end === "") open.push(name);
      else expect(open.pop()).toBe(name);
    }
    expect(open).toEqual([]);
  });
});

describe("GET /metrics", () => {
  it("gives what is measured to whoever may watch", async () => {
    const metricsText = async () => "store_requests_total 1\n";
    await using server = await startTestServer({ metricsText });
    const response = await server.call("watcher", "/metrics");
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(await response.text()).toBe("store_requests_total 1\n");
    expect((await server.call("reader", "/metrics")).status).toBe(403);
  });
});
