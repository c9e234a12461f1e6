import { randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";

import { digestText } from "./digest-text.ts";

/**
 * API tokens and the setup token: `store_`, 256 random bits in base62 (43 characters), and the
 * CRC-32 of all before it in base62 (6 characters). The prefix is for scanners of leaked secrets; by
 * the checksum a mistyped or an invented token is told without asking the database.
 */
const prefix = "store_";
const bodyLength = 43;
const checksumLength = 6;
const pattern = /^store_[0-9A-Za-z]{49}$/;
const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** A new token, and the SHA-256 of it that is kept. */
export function newApiToken(): { readonly token: string; readonly digest: Uint8Array } {
  const bits = BigInt(`0x${randomBytes(32).toString("hex")}`);
  const body = `${prefix}${base62(bits, bodyLength)}`;
  const token = `${body}${checksumOf(body)}`;
  return { token, digest: digestText(token) };
}

/** Whether a text claims to be such a token. */
export function looksLikeApiToken(text: string): boolean {
  return text.startsWith(prefix);
}

/** Whether it has the form of one, and the checksum that belongs to it. */
export function isApiToken(text: string): boolean {
  if (!pattern.test(text)) return false;
  const body = text.slice(0, -checksumLength);
  return checksumOf(body) === text.slice(-checksumLength);
}

function checksumOf(body: string): string {
  return base62(BigInt(crc32(body)), checksumLength);
}

function base62(value: bigint, length: number): string {
  let text = "";
  for (let rest = value; rest > 0n; rest /= 62n) text = `${alphabet[Number(rest % 62n)]}${text}`;
  return text.padStart(length, "0");
}
