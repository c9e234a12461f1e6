import { parseContentAddress, type ContentAddress } from "@store/identity";

import type { CallAnswer } from "../http/call-types.ts";
import type { Caller } from "../http/caller.ts";
import {
  beginDownload,
  type AskForPart,
  type Download,
  type DownloadOptions,
  type ResolvedRange,
} from "./download.ts";
import { objectOf, partOf, type ObjectInfo } from "./object-headers.ts";
import { askForBytes } from "./redirected-bytes.ts";

/** Bytes on their way. */
export interface OpenedBytes {
  /** What `body` delivers: a half-open range of the bytes. */
  readonly range: ResolvedRange;
  /** `whole`: the stream fails before its end where the bytes are not the object's. */
  readonly verified: "whole" | "none";
  /** Holds a connection until it was read or left; never read, until the signal fires. */
  readonly body: AsyncIterable<Uint8Array>;
}

export interface OpenedObject extends OpenedBytes {
  readonly object: ObjectInfo;
}

/** Objects by their content addresses, as far as the caller may read them. */
export interface ObjectMethods {
  /** By either digest. */
  statObject(address: ContentAddress): Promise<ObjectInfo>;
  openObject(address: ContentAddress, options?: DownloadOptions): Promise<OpenedObject>;
  /** Those whose bytes have to be sent, in the order given; any number, asked by 10,000. */
  listMissing(
    addresses: readonly ContentAddress[],
    options?: { readonly signal?: AbortSignal },
  ): Promise<ContentAddress[]>;
}

const addressesPerCall = 10_000;

export function objectMethods(caller: Caller): ObjectMethods {
  const { call } = caller;
  return {
    async statObject(address) {
      const params = { address };
      const answer = await headOf(
        () => call("getObject", { params, isHead: true }),
        () => call("getObject", { params, headers: { range: "bytes=0-0" } }),
      );
      return objectOf(answer, address);
    },
    async openObject(address, options = {}) {
      const { signal } = options;
      const params = { address };
      const ask: AskForPart = async (headers) => {
        const bytes = await askForBytes(caller, {
          what: address,
          headers,
          signal,
          ask: (given) => call("getObject", { params, headers: given, signal }),
        });
        return partOf(bytes, address);
      };
      const download = await beginDownload(caller, address, ask, options);
      return { object: wholeOf(download, address), ...openedOf(download) };
    },
    async listMissing(addresses, { signal } = {}) {
      const missing: ContentAddress[] = [];
      for (let from = 0; from < addresses.length; from += addressesPerCall) {
        const some = addresses.slice(from, from + addressesPerCall);
        const { json } = await call("listMissingObjects", {
          body: { addresses: some },
          signal,
          isRepeatable: true,
        });
        for (const address of json.missing) missing.push(parseContentAddress(address));
      }
      return missing;
    },
  };
}

type Answer = Pick<CallAnswer<never>, "status" | "headers" | "bytes">;

/** The answer to `HEAD`; an error has no body there, so `GET` is asked why. */
export async function headOf(
  head: () => Promise<Answer>,
  get: () => Promise<Answer>,
): Promise<Answer> {
  try {
    return await head();
  } catch (error) {
    const { bytes } = await get();
    for await (const _ of bytes) break;
    throw error;
  }
}

/** What the headers of a download say of the whole. */
export function wholeOf({ headers, address, sizeBytes }: Download, what: string): ObjectInfo {
  const { sha256 } = objectOf({ headers, status: 200 }, what);
  return { address, sha256, sizeBytes };
}

export function openedOf({ range, verified, body }: Download): OpenedBytes {
  return { range, verified, body };
}
