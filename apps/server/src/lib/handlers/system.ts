import { hash } from "node:crypto";

import { openApiDocument } from "@store/api";
import { StoreError } from "@store/identity";

import { renderReference } from "../docs/reference.ts";
import { stylesheetHash } from "../docs/stylesheet.ts";
import { checkConditions } from "../http/conditions.ts";
import type { BytesReply, Exchange, Handlers, Service } from "../http/handler.ts";
import { createReadiness, type Readiness } from "../readiness.ts";
import { serverVersion } from "../version.ts";

type SystemRoutes = "getHealth" | "getReadiness" | "getOpenApi" | "getDocs" | "getMetrics";

/** What answers without a credential, and what machines watch. */
export function systemHandlers({ registry, metrics }: Service): Handlers<SystemRoutes> {
  const readiness = createReadiness(registry);
  const documents = once(renderDocuments);
  return {
    getHealth: async () => ({ status: 200, json: { status: "ok" } }),

    getReadiness: async ({ closing }) => {
      if (closing.aborted) throw new StoreError("closed", "The server closes; ask another one.");
      const checked = await readiness();
      if (checked.ready) return { status: 200, json: { status: "ready" } };
      throw notReady(checked);
    },

    getOpenApi: async (exchange) => cached(exchange, documents().openApi),

    getDocs: async (exchange) => cached(exchange, documents().reference),

    getMetrics: async () => {
      if (metrics === undefined) {
        throw new StoreError("route_not_found", "Nothing is measured here.");
      }
      return {
        status: 200,
        headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" },
        bytes: Buffer.from(await metrics.text()),
      };
    },
  };
}

/** The reasons are for the log alone: whoever may know them asks for the instance's health. */
function notReady({ reasons, report }: Readiness): StoreError {
  const isStorage = report?.database.healthy === true && report.log.healthy;
  return new StoreError(
    isStorage ? "storage_unavailable" : "database_unavailable",
    "The instance cannot work now; try again later.",
    { cause: new Error(reasons.join(" ")) },
  );
}

interface Document {
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Uint8Array;
}

function renderDocuments(): { readonly openApi: Document; readonly reference: Document } {
  const document = openApiDocument({ version: serverVersion });
  return {
    openApi: revalidated(JSON.stringify(document), { "content-type": "application/json" }),
    reference: revalidated(renderReference(document), {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy":
        `default-src 'none'; style-src '${stylesheetHash}'; base-uri 'none'; ` +
        "form-action 'none'; frame-ancestors 'none'",
    }),
  };
}

/** A document named by its digest: two builds of one version may differ. */
function revalidated(text: string, headers: Document["headers"]): Document {
  const bytes = Buffer.from(text);
  const etag = `"${hash("sha256", bytes, "base64url")}"`;
  return { headers: { ...headers, etag, "cache-control": "no-cache" }, bytes };
}

function cached({ header }: Pick<Exchange, "header">, document: Document): BytesReply {
  const { headers, bytes } = document;
  if (checkConditions(header, headers.etag ?? "") === "send")
    return { status: 200, headers, bytes };
  return { status: 304, headers };
}

/** What is made when it is first asked for, and kept. */
function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}
