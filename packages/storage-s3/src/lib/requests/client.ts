import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { S3Client, S3ClientConfig } from "@aws-sdk/client-s3";
import type { NodeHttpHandler } from "@smithy/node-http-handler";
import type { CredentialsRenewal } from "./attempts.ts";
import type { Settings } from "../options.ts";
import { cutWhereTooLong } from "./short-answers.ts";

/** The parts of the SDK that are used, loaded when a backend is opened and not before. */
export type Sdk = typeof import("@aws-sdk/client-s3");

/** A client, and the way to newer credentials than those that it has. */
export interface Connection {
  readonly sdk: Sdk;
  readonly client: S3Client;
  readonly renewal: CredentialsRenewal;
}

const silent = { debug() {}, info() {}, warn() {}, error() {} };

type Handling = Parameters<NodeHttpHandler["handle"]>;

/**
 * Reads have connections of their own: they last as long as their reader likes, and whoever
 * copies from one place to another must not wait for itself.
 */
class ReadsApart {
  readonly metadata = { handlerProtocol: "http/1.1" };
  readonly #reads: NodeHttpHandler;
  readonly #others: NodeHttpHandler;

  constructor(handler: () => NodeHttpHandler) {
    this.#reads = handler();
    this.#others = handler();
  }

  async handle(request: Handling[0], options?: Handling[1]): ReturnType<NodeHttpHandler["handle"]> {
    const isRead = request.method === "GET" && request.query?.["x-id"] === "GetObject";
    const answered = await (isRead ? this.#reads : this.#others).handle(request, options);
    const { response } = answered;
    // Of an object the bytes are passed on, and of a refusal they are gathered too.
    if (!isRead || response.statusCode >= 300) cutWhereTooLong(response);
    return answered;
  }

  updateHttpClientConfig(): void {
    // What the handlers were made with stays.
  }

  httpHandlerConfigs(): Record<string, never> {
    return {};
  }

  destroy(): void {
    this.#reads.destroy();
    this.#others.destroy();
  }
}

export async function connect(settings: Settings): Promise<Connection> {
  const { s3: sdk, NodeHttpHandler } = await import("./aws-sdk.ts");
  const { maxConnections: maxSockets } = settings;
  const handler = () =>
    new NodeHttpHandler({
      httpAgent: new HttpAgent({ keepAlive: true, maxSockets }),
      httpsAgent: new HttpsAgent({ keepAlive: true, maxSockets }),
      connectionTimeout: settings.connectTimeoutMs,
      socketTimeout: settings.idleTimeoutMs,
      // The warnings are of a queue that is bounded by the time that a connection may take.
      socketAcquisitionWarningTimeout: 2 ** 31 - 1,
    });
  const client = new sdk.S3Client(clientConfig(settings, new ReadsApart(handler)));
  return { sdk, client, renewal: renewalOf(client) };
}

function clientConfig(settings: Settings, requestHandler: ReadsApart): S3ClientConfig {
  const { region, endpoint, credentials, profile } = settings;
  return {
    requestHandler,
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
    ...(profile === undefined ? {} : { profile }),
    forcePathStyle: settings.pathStyle,
    // Tries again by its own rules, which know what the answers mean here.
    maxAttempts: 1,
    // Every body brings its checksum; what is read has a digest that covers all of it.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    // What fails is said by whoever tries it again, or gives up.
    logger: silent,
    // It takes a new connection for every part.
    expectContinueHeader: false,
  };
}

function renewalOf(client: S3Client): CredentialsRenewal {
  let generation = 0;
  let renewing: Promise<void> | undefined;
  return {
    get generation() {
      return generation;
    },
    async renew(stale) {
      // Many requests fail at once of one credential; the first has it renewed.
      if (stale !== generation) return;
      renewing ??= client.config
        .credentials({ forceRefresh: true })
        .then(() => void generation++)
        .finally(() => (renewing = undefined));
      await renewing;
    },
  };
}
