import { S3Client, S3ServiceException } from "@aws-sdk/client-s3";
import { expect } from "vitest";
import type { TestS3Place } from "../../src/s3-place.ts";
import { type RawAnswer, type RawRequest, sendRaw } from "./raw-s3.ts";

/** What a case has: a place, a client of it, and keys that are its own. */
export interface CaseContext {
  readonly place: TestS3Place;
  readonly bucket: string;
  readonly client: S3Client;
  /** The keys of this case begin so. */
  readonly prefix: string;
  /** A key of this case. */
  key(name: string): string;
  /** Sends a request made by hand about a key of this case. */
  raw(name: string, request: Omit<RawRequest, "path">): Promise<RawAnswer>;
}

/** One behaviour of S3, which every server of it shall have. */
export interface S3Case {
  /** A sentence. */
  readonly name: string;
  run(at: CaseContext): Promise<void>;
}

/** A client that does nothing by itself: no retries, and no checksums that were not asked for. */
export function createClient(place: TestS3Place): S3Client {
  const { endpoint, region, credentials } = place;
  return new S3Client({
    endpoint,
    region,
    credentials,
    forcePathStyle: true,
    maxAttempts: 1,
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
  });
}

/** The context of one case. */
export function contextOf(place: TestS3Place, client: S3Client, number: number): CaseContext {
  const prefix = `${place.prefix}/${number}`;
  const { bucket } = place;
  const key = (name: string): string => `${prefix}/${name}`;
  const raw = (name: string, request: Omit<RawRequest, "path">): Promise<RawAnswer> => {
    const path = `/${bucket}/${key(name)}`.split("/").map(encodeURIComponent).join("/");
    return sendRaw(place, { ...request, path });
  };
  return { place, bucket, client, prefix, key, raw };
}

/** Expects that S3 refuses, and how: its code and status. */
export async function refused(work: Promise<unknown>, code: string, status: number): Promise<void> {
  const refusal = await work.then(
    () => "nothing was refused",
    (error: unknown) => error,
  );
  expect(refusal).toBeInstanceOf(S3ServiceException);
  if (!(refusal instanceof S3ServiceException)) return;
  expect(`${refusal.$metadata.httpStatusCode} ${refusal.name}`).toBe(`${status} ${code}`);
}

/** Expects the same of an answer to a request made by hand. */
export function answersWith(answer: RawAnswer, code: string, status: number): void {
  expect(`${answer.status} ${answer.code}`).toBe(`${status} ${code}`);
}

export const mebibyte = 1024 * 1024;

/** Bytes that differ from place to place. */
export function bytesOf(size: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(size);
  for (let index = 0; index < size; index += 1) bytes[index] = (index * 31 + seed * 7) & 0xff;
  return bytes;
}
