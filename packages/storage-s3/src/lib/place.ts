import type { S3Client } from "@aws-sdk/client-s3";
import { StoreError } from "@store/identity";
import { attempted } from "./requests/attempts.ts";
import type { SumKind } from "./bytes/body-sum.ts";
import type { Connection, Sdk } from "./requests/client.ts";
import { HeldBytes, type PartBytes } from "./bytes/held-bytes.ts";
import { Layout } from "./layout.ts";
import type { Settings } from "./options.ts";
import { isSpooled } from "./staging/part-sizes.ts";
import { SlabPool } from "./bytes/slab-pool.ts";
import { SpooledBytes } from "./bytes/spooled-bytes.ts";

/** How a store is asked to encrypt, as the SDK's commands take it. */
interface EncryptionInput {
  readonly ServerSideEncryption?: "AES256" | "aws:kms";
  readonly SSEKMSKeyId?: string;
  readonly BucketKeyEnabled?: boolean;
}

/** The bucket and what every verb needs to speak with it. */
export class Place {
  readonly sdk: Sdk;
  readonly client: S3Client;
  readonly settings: Settings;
  readonly layout: Layout;
  readonly pool: SlabPool;
  readonly encryption: EncryptionInput;
  readonly #connection: Connection;
  #closed = false;

  constructor(connection: Connection, settings: Settings) {
    this.#connection = connection;
    this.sdk = connection.sdk;
    this.client = connection.client;
    this.settings = settings;
    this.layout = new Layout(settings.prefix);
    this.pool = new SlabPool(settings.uploadMemoryBytes);
    this.encryption = encryptionOf(settings);
  }

  get bucket(): string {
    return this.settings.bucket;
  }

  /** What protects the parts of large objects. */
  get partSum(): SumKind {
    return this.settings.flexibleChecksums ? this.settings.partChecksum : "sha256";
  }

  /** Sends a request, again if need be; throws the last failure as the SDK gave it. */
  attempt<T>(request: (client: S3Client) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const { renewal } = this.#connection;
    return attempted(() => request(this.client), this.settings.attempts, renewal, signal);
  }

  /** Somewhere to gather a part of that size. */
  newPart(partBytes: number): PartBytes {
    return isSpooled(partBytes)
      ? new SpooledBytes(this.settings.spoolFolder, this.partSum)
      : new HeldBytes(this.pool, this.partSum);
  }

  /** Somewhere to gather a small object, which is put with its SHA-256. */
  newSmall(): HeldBytes {
    return new HeldBytes(this.pool, "sha256");
  }

  storageClassFor(retentionClass: string | undefined): string | undefined {
    const { storageClass, storageClasses } = this.settings;
    return storageClasses.get(retentionClass ?? "") ?? storageClass;
  }

  readonly assertOpen = (): void => {
    if (this.#closed) throw closedError();
  };

  close(): void {
    this.#closed = true;
    this.client.destroy();
  }
}

export function closedError(): StoreError {
  return new StoreError("closed", "The S3 storage is closed; open it again.");
}

function encryptionOf({ encryption }: Settings): EncryptionInput {
  if (encryption === undefined) return {};
  if (encryption.kind === "s3") return { ServerSideEncryption: "AES256" };
  const { keyId, bucketKey } = encryption;
  return {
    ServerSideEncryption: "aws:kms",
    ...(keyId === undefined ? {} : { SSEKMSKeyId: keyId }),
    ...(bucketKey === undefined ? {} : { BucketKeyEnabled: bucketKey }),
  };
}
