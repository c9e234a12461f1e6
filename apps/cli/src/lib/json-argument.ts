import { open } from "node:fs/promises";

import { StoreError } from "@store/identity";
import type { JsonObject } from "@store/registry";

import { systemError } from "./system-error.ts";

/** No metadata and no schema may be larger; a file that is, is not read. */
const limitBytes = 16 * 1024 * 1024;

/** JSON from the command line: the text itself, or `@<file>`. */
export async function readJsonArgument(text: string, flag: string): Promise<JsonObject> {
  if (!text.startsWith("@")) return parseJsonObject(text, flag);
  const file = text.slice(1);
  return parseJsonObject(await readTextFile(file), file);
}

/** JSON from a file, or from stdin for `-`. */
export async function readJsonFile(file: string): Promise<JsonObject> {
  if (file !== "-") return parseJsonObject(await readTextFile(file), file);
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  const stdin: AsyncIterable<Buffer> = process.stdin;
  for await (const chunk of stdin) {
    chunks.push(chunk);
    sizeBytes += chunk.byteLength;
    if (sizeBytes > limitBytes) throw tooLarge("stdin");
  }
  return parseJsonObject(Buffer.concat(chunks).toString(), "stdin");
}

async function readTextFile(file: string): Promise<string> {
  try {
    await using handle = await open(file);
    const { size } = await handle.stat();
    if (size > limitBytes) throw tooLarge(file);
    return await handle.readFile("utf8");
  } catch (error) {
    throw systemError(error, "read", file);
  }
}

function parseJsonObject(text: string, source: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StoreError("invalid_json", `${source} is not JSON: ${reason}.`, { cause: error });
  }
  if (isJsonObject(value)) return value;
  throw new StoreError("invalid_json", `${source} is JSON, but not an object.`);
}

/** What JSON.parse gave and is an object has JSON in it only. */
function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function tooLarge(source: string): StoreError {
  return new StoreError("limit_exceeded", `${source} is larger than ${limitBytes} bytes.`, {
    context: { limit: limitBytes },
  });
}
