import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";

import { present } from "@store/api";
import { assertName, isStoreError, StoreError } from "@store/identity";
import * as v from "valibot";

import type {
  BackendSettings,
  PlacementSettings,
  S3BackendSettings,
  S3Keys,
  StorageSettings,
} from "./storage-settings.ts";

const text = v.pipe(v.string(), v.minLength(1), v.maxLength(1_024));
const name = v.pipe(
  v.string(),
  v.check((value) => isName(value), "not a name of small letters, digits, '.', '_' and '-'"),
);
const count = (least: number, most: number) =>
  v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most));
const url = v.pipe(text, v.regex(/^https?:\/\//, "not an http or https URL"));

const local = v.strictObject({ kind: v.literal("local"), path: text });

/** A secret is written in the file, or is what another file holds, as container engines mount it. */
const keys = v.union([
  v.strictObject({
    access_key_id: text,
    secret_access_key: text,
    session_token: v.optional(text),
  }),
  v.strictObject({ access_key_id_file: text, secret_access_key_file: text }),
]);

const s3 = v.strictObject({
  kind: v.literal("s3"),
  bucket: text,
  prefix: v.optional(text),
  region: v.optional(text),
  endpoint: v.optional(url),
  path_style: v.optional(v.boolean()),
  credentials: v.optional(keys),
  profile: v.optional(text),
  encryption: v.optional(
    v.variant("kind", [
      v.strictObject({ kind: v.literal("s3") }),
      v.strictObject({
        kind: v.literal("kms"),
        key_id: v.optional(text),
        bucket_key: v.optional(v.boolean()),
      }),
    ]),
  ),
  storage_class: v.optional(text),
  storage_classes: v.optional(v.record(name, text)),
  checksums: v.optional(v.picklist(["when_supported", "when_required"])),
  conditional_writes: v.optional(v.boolean()),
  part_bytes: v.optional(count(5 * 2 ** 20, 32 * 2 ** 20)),
  parallel_parts: v.optional(count(1, 64)),
  max_connections: v.optional(count(1, 10_000)),
});

const document = v.strictObject({
  backends: v.pipe(
    v.record(name, v.variant("kind", [local, s3])),
    v.minEntries(1, "empty"),
    v.maxEntries(64, "more than 64"),
  ),
  placement: v.optional(
    v.strictObject({
      primary: v.optional(name),
      mirrors: v.optional(v.array(name)),
      read_order: v.optional(v.array(name)),
    }),
  ),
});

type Document = v.InferOutput<typeof document>;
type S3Document = v.InferOutput<typeof s3>;

/**
 * Several backends and their placement, from a JSON document. Paths in it start at its folder.
 *
 * @throws {StoreError} `invalid_argument` naming the file and the place in it; never a secret
 */
export function readStorageFile(path: string): StorageSettings {
  const folder = dirname(path);
  const parsed = v.safeParse(document, parse(path));
  if (!parsed.success) throw refused(path, problemOf(parsed.issues[0]));
  const backends: Record<string, BackendSettings> = {};
  for (const [role, backend] of Object.entries(parsed.output.backends)) {
    backends[role] =
      backend.kind === "local"
        ? { kind: "local", root: resolve(folder, backend.path) }
        : s3Settings(backend, folder);
  }
  assertApart(path, backends);
  return { backends, placement: placementOf(path, parsed.output) };
}

/** Two names of one place would be two copies of which one is none. */
function assertApart(path: string, backends: Readonly<Record<string, BackendSettings>>): void {
  const names = new Map<string, string>();
  for (const [name, settings] of Object.entries(backends)) {
    const place = placeNamed(settings);
    const other = names.get(place);
    if (other !== undefined) {
      throw refused(
        path,
        `"${other}" and "${name}" are the same folder, or the same bucket and prefix`,
      );
    }
    names.set(place, name);
  }
}

function placeNamed(settings: BackendSettings): string {
  if (settings.kind === "local") return settings.root;
  const { bucket, prefix = "", endpoint = "", profile = "" } = settings;
  // A profile may name an endpoint of its own.
  const store = URL.parse(endpoint)?.host ?? `profile ${profile}`;
  return `${store} ${bucket} ${prefix.replace(/^\/+|\/+$/g, "")}`;
}

function parse(path: string): unknown {
  let content: string;
  try {
    content = readFileSync(path, "utf8");
  } catch (cause) {
    throw unreadable(path, cause);
  }
  try {
    return JSON.parse(content);
  } catch (error) {
    // Without the cause, which quotes the content: there may be a secret in it.
    throw refused(path, `it is not JSON${placeOf(error)}`);
  }
}

/** Where in a text that is not JSON, if that is said. */
function placeOf(error: unknown): string {
  const found = error instanceof Error ? /line \d+ column \d+/.exec(error.message) : null;
  return found === null ? "" : `, at ${found[0]}`;
}

function placementOf(path: string, { backends, placement = {} }: Document): PlacementSettings {
  const names = Object.keys(backends);
  const primary = placement.primary ?? (names.length === 1 ? (names[0] ?? "") : "primary");
  const { mirrors = [], read_order: first = [] } = placement;
  for (const one of [primary, ...mirrors, ...first]) {
    if (names.includes(one)) continue;
    throw refused(path, `its placement names "${one}"; there are ${names.join(", ")}`);
  }
  if (new Set([primary, ...mirrors]).size !== mirrors.length + 1) {
    throw refused(path, "a backend is the primary or a mirror, and a mirror once");
  }
  const readOrder = [...new Set([...first, primary, ...mirrors, ...names])];
  return { primary, mirrors, readOrder };
}

function s3Settings(given: S3Document, folder: string): S3BackendSettings {
  const { kind, bucket, prefix, region, endpoint, profile, checksums, encryption } = given;
  return present({
    kind,
    bucket,
    prefix,
    region,
    endpoint,
    profile,
    checksums,
    pathStyle: given.path_style,
    credentials: given.credentials && keysOf(given.credentials, folder),
    encryption:
      encryption?.kind === "kms"
        ? present({
            kind: encryption.kind,
            keyId: encryption.key_id,
            bucketKey: encryption.bucket_key,
          })
        : encryption,
    storageClass: given.storage_class,
    storageClasses: given.storage_classes,
    conditionalWrites: given.conditional_writes,
    partBytes: given.part_bytes,
    parallelParts: given.parallel_parts,
    maxConnections: given.max_connections,
  });
}

function keysOf(given: v.InferOutput<typeof keys>, folder: string): S3Keys {
  if ("access_key_id" in given) {
    return present({
      accessKeyId: given.access_key_id,
      secretAccessKey: given.secret_access_key,
      sessionToken: given.session_token,
    });
  }
  return {
    accessKeyId: secretIn(resolve(folder, given.access_key_id_file)),
    secretAccessKey: secretIn(resolve(folder, given.secret_access_key_file)),
  };
}

function secretIn(path: string): string {
  let secret: string;
  try {
    secret = readFileSync(path, "utf8").trim();
  } catch (cause) {
    throw unreadable(path, cause);
  }
  if (/^\S+$/.test(secret)) return secret;
  throw refused(path, secret === "" ? "it is empty" : "it holds more than one word");
}

function isName(value: string): boolean {
  try {
    assertName(value);
    return true;
  } catch (error) {
    if (isStoreError(error)) return false;
    throw error;
  }
}

/** Where something is wrong, and what was wanted there; never what stands there. */
function problemOf(issue: v.BaseIssue<unknown>): string {
  const place = v.getDotPath(issue) ?? "the document";
  const { expected, input, kind, message, type } = issue;
  if (expected === "never") return `${place} is not known`;
  if (input === undefined) return `${place} is missing`;
  // Those that are not of the library say nothing of what stands there.
  if (kind === "validation" && !message.startsWith("Invalid")) return `${place} is ${message}`;
  if (type === "union") {
    return `${place} should have both keys, or both files of keys, and nothing else`;
  }
  return `${place} should be ${expected === "Object" ? "an object" : expected}`;
}

function unreadable(path: string, cause: unknown): StoreError {
  const code = cause instanceof Error && "code" in cause ? ` (${String(cause.code)})` : "";
  return refused(path, `it cannot be read${code}`, cause);
}

function refused(path: string, problem: string, cause?: unknown): StoreError {
  return new StoreError("invalid_argument", `${path} cannot be used: ${problem}.`, {
    context: { path },
    ...(cause === undefined ? {} : { cause }),
  });
}
