import { randomBytes } from "node:crypto";

import { digestText } from "./digest-text.ts";

/**
 * Refresh tokens: `storer_`, then base64url of the session's id (16 bytes), the session's secret
 * (32 bytes, the same in every token of the session) and the token's own (32 bytes). Only SHA-256 of
 * both secrets is kept. By the session's secret an old token of the session is told from an
 * invented one: whoever only knows a session's id cannot end it.
 */
const prefix = "storer_";
const pattern = /^storer_[A-Za-z0-9_-]{107}$/;

export interface RefreshToken {
  readonly sessionId: string;
  readonly sessionSecret: string;
  readonly ownSecret: string;
}

/** The parts of a refresh token, or undefined where a text is none. */
export function parseRefreshToken(text: unknown): RefreshToken | undefined {
  if (typeof text !== "string" || !pattern.test(text)) return undefined;
  const bytes = Buffer.from(text.slice(prefix.length), "base64url");
  const hex = bytes.toString("hex", 0, 16);
  return {
    sessionId: hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5"),
    sessionSecret: bytes.toString("base64url", 16, 48),
    ownSecret: bytes.toString("base64url", 48),
  };
}

export function formatRefreshToken({ sessionId, sessionSecret, ownSecret }: RefreshToken): string {
  const bytes = Buffer.concat([
    Buffer.from(sessionId.replaceAll("-", ""), "hex"),
    Buffer.from(sessionSecret, "base64url"),
    Buffer.from(ownSecret, "base64url"),
  ]);
  return `${prefix}${bytes.toString("base64url")}`;
}

/** 256 random bits, and the SHA-256 of them that is kept. */
export function newSecret(): { readonly secret: string; readonly digest: Uint8Array } {
  const secret = randomBytes(32).toString("base64url");
  return { secret, digest: digestText(secret) };
}
