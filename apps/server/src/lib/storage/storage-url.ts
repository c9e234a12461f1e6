import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { StoreError } from "@store/identity";

import type { BackendSettings, S3BackendSettings, S3Encryption } from "./storage-settings.ts";

const parameters = [
  "region",
  "endpoint",
  "path_style",
  "profile",
  "encryption",
  "kms_key_id",
  "storage_class",
  "checksums",
  "conditional_writes",
] as const;

type Parameter = (typeof parameters)[number];

/**
 * A backend by its URL: `file:<path>`, or `s3://<bucket>/<prefix>?region=…&endpoint=…`.
 *
 * @throws {StoreError} `invalid_argument` saying what the URL may have
 */
export function readStorageUrl(text: string): BackendSettings {
  if (text.startsWith("file:")) return { kind: "local", root: folderOf(text) };
  const url = URL.parse(text);
  if (url?.protocol !== "s3:") {
    throw refused("give file:<path> or s3://<bucket>/<prefix>");
  }
  if (url.username + url.password !== "") {
    throw refused("keys do not belong in a URL; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
  }
  if (url.hostname === "" || url.port !== "" || url.hash !== "") {
    throw refused("give s3://<bucket>/<prefix>, and a host and port as endpoint=http://host:port");
  }
  return bucketOf(url, readParameters(url.searchParams));
}

function folderOf(text: string): string {
  const path = text.slice("file:".length);
  if (path === "") throw refused("give a path after file:, as in file:/srv/objects");
  try {
    return path.startsWith("//") ? fileURLToPath(text) : resolve(decodeURI(path));
  } catch {
    throw refused("the path after file: cannot be read; write file:/srv/objects");
  }
}

function readParameters(search: URLSearchParams): Partial<Record<Parameter, string>> {
  const known: Partial<Record<Parameter, string>> = {};
  for (const [name, value] of search) {
    const parameter = parameters.find((one) => one === name);
    if (parameter === undefined || known[parameter] !== undefined || value === "") {
      throw refused(
        `"${name.slice(0, 40)}" is unknown, empty or given twice; there are ` +
          parameters.join(", "),
      );
    }
    known[parameter] = value;
  }
  return known;
}

function bucketOf(url: URL, given: Partial<Record<Parameter, string>>): S3BackendSettings {
  const prefix = decodeURIComponent(url.pathname).replace(/^\/+|\/+$/g, "");
  const { region, endpoint, profile, storage_class: storageClass } = given;
  const pathStyle = flag("path_style", given.path_style);
  const conditionalWrites = flag("conditional_writes", given.conditional_writes);
  const encryption = encryptionOf(given.encryption, given.kms_key_id);
  const checksums = checksumsOf(given.checksums);
  if (endpoint !== undefined && !/^https?:$/.test(URL.parse(endpoint)?.protocol ?? "")) {
    throw refused("endpoint is a URL, such as http://127.0.0.1:9000");
  }
  return {
    kind: "s3",
    bucket: url.hostname,
    ...(prefix === "" ? {} : { prefix }),
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(pathStyle === undefined ? {} : { pathStyle }),
    ...(profile === undefined ? {} : { profile }),
    ...(encryption === undefined ? {} : { encryption }),
    ...(storageClass === undefined ? {} : { storageClass }),
    ...(checksums === undefined ? {} : { checksums }),
    ...(conditionalWrites === undefined ? {} : { conditionalWrites }),
  };
}

function flag(name: Parameter, value: string | undefined): boolean | undefined {
  if (value === undefined) return undefined;
  if (value === "true" || value === "false") return value === "true";
  throw refused(`${name} is true or false`);
}

function encryptionOf(kind: string | undefined, keyId: string | undefined) {
  if (kind === "kms") return { kind, ...(keyId === undefined ? {} : { keyId }) } as const;
  if (keyId !== undefined) throw refused("kms_key_id needs encryption=kms");
  if (kind === undefined || kind === "s3") return kind && ({ kind } satisfies S3Encryption);
  throw refused("encryption is s3 or kms");
}

function checksumsOf(value: string | undefined): S3BackendSettings["checksums"] {
  if (value === undefined || value === "when_supported" || value === "when_required") return value;
  throw refused("checksums is when_supported or when_required");
}

/** Without the URL: somebody may have put a secret into it. */
function refused(remedy: string): StoreError {
  return new StoreError("invalid_argument", `STORE_STORAGE_URL cannot be used: ${remedy}.`);
}
