import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { Blobs } from "./blobs.ts";
import { Bucket } from "./bucket.ts";
import type { S3Limits } from "./call.ts";
import { LocalControls, type S3Controls } from "./controls.ts";
import { CredentialStore, type S3Credential } from "./credentials.ts";
import { Faults } from "./faults.ts";
import { handle, type HandlerParts } from "./handler.ts";
import { RequestLog } from "./request-log.ts";

/** Where a client finds a bucket of S3, and what it signs with. */
export interface S3Place {
  /** `http://127.0.0.1:<port>`, in path style. */
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly credentials: S3Credential;
}

/** How to start a double. */
export interface S3DoubleOptions {
  /** Default `us-east-1`. */
  readonly region?: string;
  /** The bucket that is there from the start. Default `store-test`. */
  readonly bucket?: string;
  /** The first credential. Default one that is made up. */
  readonly credentials?: S3Credential;
  /**
   * Whether a Complete that comes again is answered as the first was, as S3 does for a while.
   * Default false: `NoSuchUpload`, as its reference says.
   */
  readonly completesAgain?: boolean;
  /**
   * Whether it saves the hashing that S3 does of its own accord: entity tags are made up, and
   * what comes without a checksum has none. For benchmarks. Default false.
   */
  readonly quick?: boolean;
  /** Where the folder of its files is made. Default the system's temporary folder. */
  readonly parentFolder?: string;
  /** Smaller sizes than AWS's, for tests of what happens at them. */
  readonly limits?: Partial<S3Limits>;
}

/** A running double, which belongs to whoever started it. */
export interface S3Double extends S3Place, S3Controls {
  /** Ends it, cuts its connections and removes its files. */
  close(): Promise<void>;
}

const gibibyte = 1024 ** 3;
const limits: S3Limits = {
  writeBytes: 5 * gibibyte,
  copyBytes: 5 * gibibyte,
  partBytes: 5 * 1024 ** 2,
};

class RunningDouble extends LocalControls implements S3Double {
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly credentials: S3Credential;
  readonly #end: () => Promise<void>;

  constructor(
    parts: ConstructorParameters<typeof LocalControls>[0],
    place: S3Place,
    end: () => Promise<void>,
  ) {
    super(parts);
    this.endpoint = place.endpoint;
    this.region = place.region;
    this.bucket = place.bucket;
    this.credentials = place.credentials;
    this.#end = end;
  }

  close(): Promise<void> {
    return this.#end();
  }
}

/** Starts a double on a free port of 127.0.0.1, with files in a new temporary folder. */
export async function startS3Double(options: S3DoubleOptions = {}): Promise<S3Double> {
  const region = options.region ?? "us-east-1";
  const credential = options.credentials ?? makeCredential();
  const clock = { offsetMs: 0 };
  const now = (): number => Date.now() + clock.offsetMs;
  const bucket = new Bucket(options.bucket ?? "store-test", now());
  const blobs = await Blobs.create(options.parentFolder);
  const credentials = new CredentialStore();
  credentials.set(credential);
  const parts: HandlerParts = {
    service: {
      region,
      limits: { ...limits, ...options.limits },
      completesAgain: options.completesAgain ?? false,
      quick: options.quick ?? false,
      blobs,
      buckets: new Map([[bucket.name, bucket]]),
      now,
    },
    rules: { region, credentials, now },
    faults: new Faults(),
    log: new RequestLog(),
  };
  const { endpoint, end } = await listen(parts);
  const { faults, log } = parts;
  return new RunningDouble(
    { blobs, bucket, credentials, faults, log, clock, now },
    { endpoint, region, bucket: bucket.name, credentials: credential },
    async () => {
      await end();
      await blobs.close();
    },
  );
}

function makeCredential(): S3Credential {
  return {
    accessKeyId: `AKIA${randomBytes(8).toString("hex").toUpperCase()}`,
    secretAccessKey: randomBytes(30).toString("base64"),
  };
}

async function listen(
  parts: HandlerParts,
): Promise<{ readonly endpoint: string; readonly end: () => Promise<void> }> {
  const running = new Set<Promise<void>>();
  const track = (work: Promise<void>): void => {
    running.add(work);
    void work.finally(() => running.delete(work));
  };
  // A client that keeps a connection must not find it closed in the moment it is used.
  const server = createServer({ keepAliveTimeout: 120_000, requestTimeout: 0 });
  server.on("request", (http, response) => track(handle(parts, http, response, false)));
  server.on("checkContinue", (http, response) => track(handle(parts, http, response, true)));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The double has no port.");
  const end = async (): Promise<void> => {
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
    await Promise.allSettled(running);
  };
  return { endpoint: `http://127.0.0.1:${address.port}`, end };
}
