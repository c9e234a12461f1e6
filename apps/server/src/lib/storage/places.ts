import type { BackendSettings, StorageSettings } from "./storage-settings.ts";

/** Where each backend is, by name, as may be shown to those who run the instance. */
export function placesOf({ backends }: StorageSettings): Record<string, string> {
  const named = Object.entries(backends).map(
    ([name, backend]) => [name, placeOf(backend)] as const,
  );
  return Object.fromEntries(named);
}

/** A folder, or a bucket and its prefix, and at which store where that is not AWS's. */
function placeOf(backend: BackendSettings): string {
  if (backend.kind === "local") return backend.root;
  const { bucket, prefix, endpoint } = backend;
  const place = prefix === undefined ? `s3://${bucket}` : `s3://${bucket}/${prefix}`;
  // Keys may stand in a URL, where nobody looks for them.
  const host = endpoint === undefined ? undefined : URL.parse(endpoint)?.host;
  return host === undefined ? place : `${place} at ${host}`;
}
