import type { SettingReader } from "../setting-reader.ts";
import { noProxies, parseTrustedProxies, type TrustedProxies } from "./client-address.ts";
import { defaultHttpLimits, type HttpLimits } from "./limits.ts";

/** The settings of the server alone, each with its meaning. */
export const httpSettingNames = {
  STORE_MAX_JSON_BYTES: "The largest JSON body that is taken.",
  STORE_MAX_JSON_DEPTH: "How deep a JSON body may be nested.",
  STORE_MAX_HEADER_BYTES: "How large a request's line and header fields may be together.",
  STORE_MAX_HEADERS: "How many header fields a request may have.",
  STORE_MAX_URL_BYTES: "How long a request's path and query may be.",
  STORE_MAX_CONNECTIONS: "How many connections may be open; others are closed at once.",
  STORE_MAX_REQUESTS: "How many requests may be under way; others are refused.",
  STORE_HEADERS_TIMEOUT_SECONDS: "How long a request's header fields may take.",
  STORE_BODY_TIMEOUT_SECONDS: "How long a JSON body may take.",
  STORE_IDLE_TIMEOUT_SECONDS: "How long a client may neither send nor take bytes.",
  STORE_KEEP_ALIVE_SECONDS: "How long a connection without a request is kept.",
  STORE_DRAIN_SECONDS: "How long requests under way may take once the server closes.",
  STORE_CORS_ORIGINS: "Origins, with commas between them, whose pages may call the server.",
  STORE_REDIRECT_READS: "The smallest read, in bytes, that is redirected to a URL of the backend.",
  STORE_TRUSTED_PROXIES: "How many proxies stand before the server, or their addresses.",
} as const;

/** How the server treats its clients. */
export interface HttpSettings {
  readonly limits: Omit<HttpLimits, "objectBytes">;
  /** How long requests under way may take once the server closes. */
  readonly drainMs: number;
  readonly corsOrigins: readonly string[];
  /** The smallest read that is redirected to a URL of the backend; absent: none is. */
  readonly redirectReadBytes?: number;
  readonly trustedProxies: TrustedProxies;
}

/** @throws {StoreError} `invalid_argument` naming the setting */
export function readHttpSettings(read: SettingReader): HttpSettings {
  const count = (name: keyof typeof httpSettingNames, otherwise: number, least = 1): number =>
    read.integer(name, { otherwise, least, most: 2 ** 31 - 1 });
  const milliseconds = (name: keyof typeof httpSettingNames, otherwise: number): number =>
    read.integer(name, { otherwise: otherwise / 1_000, least: 1, most: 86_400 }) * 1_000;
  const limits = defaultHttpLimits;
  const proxies = read.list("STORE_TRUSTED_PROXIES").join(",");
  const redirectReadBytes = read.integer("STORE_REDIRECT_READS", { otherwise: -1 });
  return {
    limits: {
      jsonBytes: count("STORE_MAX_JSON_BYTES", limits.jsonBytes, 1024),
      jsonDepth: count("STORE_MAX_JSON_DEPTH", limits.jsonDepth, 4),
      headerBytes: count("STORE_MAX_HEADER_BYTES", limits.headerBytes, 1024),
      headerCount: count("STORE_MAX_HEADERS", limits.headerCount, 16),
      urlBytes: count("STORE_MAX_URL_BYTES", limits.urlBytes, 256),
      connections: count("STORE_MAX_CONNECTIONS", limits.connections),
      requests: count("STORE_MAX_REQUESTS", limits.requests),
      headersTimeoutMs: milliseconds("STORE_HEADERS_TIMEOUT_SECONDS", limits.headersTimeoutMs),
      bodyTimeoutMs: milliseconds("STORE_BODY_TIMEOUT_SECONDS", limits.bodyTimeoutMs),
      idleTimeoutMs: milliseconds("STORE_IDLE_TIMEOUT_SECONDS", limits.idleTimeoutMs),
      keepAliveTimeoutMs: milliseconds("STORE_KEEP_ALIVE_SECONDS", limits.keepAliveTimeoutMs),
    },
    drainMs: milliseconds("STORE_DRAIN_SECONDS", 10_000),
    corsOrigins: read.origins("STORE_CORS_ORIGINS"),
    ...(redirectReadBytes < 0 ? {} : { redirectReadBytes }),
    trustedProxies: proxies === "" ? noProxies : parseTrustedProxies(proxies),
  };
}
