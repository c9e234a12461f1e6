import { type ContentAddress, isContentAddress } from "@store/identity";

const shape = /^orphan:(?<address>[a-z0-9]+:[0-9a-f]{64}):(?<upload>[A-Za-z0-9_-]{1,900})$/;

/** The staged id of an upload that belongs to nobody. */
export function orphanId(address: ContentAddress, uploadId: string): string {
  return `orphan:${address}:${Buffer.from(uploadId).toString("base64url")}`;
}

/** The upload that such an id names, or undefined if it is none. */
export function orphanOf(
  id: string,
): { readonly address: ContentAddress; readonly uploadId: string } | undefined {
  const { address = "", upload = "" } = shape.exec(id)?.groups ?? {};
  if (!isContentAddress(address)) return undefined;
  return { address, uploadId: Buffer.from(upload, "base64url").toString() };
}
