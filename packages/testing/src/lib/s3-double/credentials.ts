import { createHmac } from "node:crypto";
import { S3Error } from "./errors.ts";

/** A key that the double knows. */
export interface S3Credential {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Requests must carry it, as those with temporary credentials do. */
  readonly sessionToken?: string;
  /** When the session ends, in milliseconds since 1970. */
  readonly expiresAt?: number;
}

/** The keys that are known now. */
export class CredentialStore {
  readonly #known = new Map<string, S3Credential>();
  readonly #signingKeys = new Map<string, Buffer>();

  set(credential: S3Credential): void {
    this.#known.set(credential.accessKeyId, credential);
  }

  remove(accessKeyId: string): void {
    this.#known.delete(accessKeyId);
  }

  expire(accessKeyId: string, at: number): void {
    const credential = this.#known.get(accessKeyId);
    if (credential === undefined) throw new Error(`There is no credential ${accessKeyId}.`);
    this.set({ ...credential, expiresAt: at });
  }

  /** The credential, if the request may use it now. Throws `S3Error`. */
  find(accessKeyId: string, token: string | undefined, now: number): S3Credential {
    const credential = this.#known.get(accessKeyId);
    // The key of a session is unknown to AWS without its token.
    if (
      credential === undefined ||
      (credential.sessionToken !== undefined && token === undefined)
    ) {
      throw new S3Error("InvalidAccessKeyId", { AWSAccessKeyId: accessKeyId });
    }
    if (token !== undefined && token !== credential.sessionToken) {
      throw new S3Error("InvalidToken", { "Token-0": token });
    }
    if (credential.expiresAt !== undefined && credential.expiresAt <= now) {
      throw new S3Error("ExpiredToken", token === undefined ? {} : { "Token-0": token });
    }
    return credential;
  }

  /** The key that signs one day's requests of a region (AWS, "Signature Version 4", step 3). */
  signingKey(credential: S3Credential, date: string, region: string): Buffer {
    const name = `${credential.secretAccessKey}/${date}/${region}`;
    const cached = this.#signingKeys.get(name);
    if (cached !== undefined) return cached;
    const first = hmac(`AWS4${credential.secretAccessKey}`, date);
    const key = hmac(hmac(hmac(first, region), "s3"), "aws4_request");
    if (this.#signingKeys.size > 100) this.#signingKeys.clear();
    this.#signingKeys.set(name, key);
    return key;
  }
}

/** HMAC-SHA256. */
export function hmac(key: Buffer | string, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
