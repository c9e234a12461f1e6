/** The URL of a PostgreSQL database. */
import { createHash } from "node:crypto";
import { StoreError } from "@store/identity";
import { readTlsOptions, type TlsOptions } from "./tls.ts";

/** A server, and the schema of one instance in it. */
export interface PostgresPlace {
  /** What the driver connects to, with its password. Never shown. */
  readonly url: string;
  /** All tables of the instance are in this schema. */
  readonly schema: string;
  readonly tls: TlsOptions;
}

// A scratch space adds 17 characters to the name, and PostgreSQL cuts names at 63.
const schemaRule = /^[a-z_][a-z0-9_]{0,39}$/;

/**
 * Reads `postgres://user:password@host:port/database?schema=name`; the schema is `defaultSchema`
 * unless given. `sslmode`, `sslrootcert`, `sslcert` and `sslkey` say how the connection is secured;
 * other parameters go to the driver. Messages never repeat the URL: it may hold a password.
 */
export function parsePostgresUrl(text: string, defaultSchema = "public"): PostgresPlace {
  const url = URL.parse(text);
  if (url === null) {
    throw new StoreError(
      "invalid_argument",
      "The PostgreSQL URL cannot be read; it has the form " +
        "postgres://user:password@host:5432/database?schema=name, special characters encoded.",
    );
  }
  const schema = url.searchParams.get("schema") ?? defaultSchema;
  url.searchParams.delete("schema");
  if (!schemaRule.test(schema)) {
    throw new StoreError(
      "invalid_argument",
      "The schema of a PostgreSQL URL has up to 40 small letters, digits and underscores, " +
        "and begins with a letter.",
      { context: { actual: schema } },
    );
  }
  const tls = readTlsOptions(url.searchParams);
  return { url: url.href, schema, tls };
}

/** A channel of its own for each schema: notifications reach a whole database. */
export function channelName(schema: string, channel: string): string {
  const digest = createHash("sha256").update(`${schema}\0${channel}`).digest("hex");
  return `store_${digest.slice(0, 40)}`;
}

/** The key of an advisory lock, as text of a signed 64-bit integer. */
export function advisoryKey(purpose: string): string {
  return createHash("sha256").update(`store\0${purpose}`).digest().readBigInt64BE(0).toString();
}
