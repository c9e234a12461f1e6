import { Worker } from "node:worker_threads";

import { StoreError } from "@store/identity";

import { limits } from "./limits.ts";
import type { JsonObject } from "./types.ts";
import type { ValidationAnswer, ValidationRequest } from "./metadata-worker.ts";

/**
 * Validates JSON against JSON Schema (draft 2020-12) in a worker, so that a pattern or a schema
 * that takes for ever is cut off after {@link limits.validationMs} and blocks nobody else.
 */
export class MetadataValidator {
  #worker: Worker | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /** Throws `invalid_schema` unless `schema` compiles without any remote reference. */
  async checkSchema(schema: JsonObject): Promise<void> {
    const answer = await this.#ask({ schema });
    if (answer.outcome === "invalid_schema") {
      throw new StoreError(
        "invalid_schema",
        `The metadata schema is not acceptable: ${answer.problem}. References must stay inside the schema.`,
      );
    }
  }

  /** Throws `invalid_metadata` naming the first problems unless `metadata` satisfies `schema`. */
  async validate(schemaName: string, schema: JsonObject, metadata: JsonObject): Promise<void> {
    const answer = await this.#ask({ schema, metadata });
    if (answer.outcome === "valid") return;
    const code = answer.outcome === "invalid" ? "invalid_metadata" : "invalid_schema";
    throw new StoreError(
      code,
      `The metadata does not satisfy the schema ${schemaName}: ${answer.problem}.`,
      { context: { expected: schemaName } },
    );
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
    this.#worker = undefined;
  }

  /** One question at a time: a worker that is cut off loses nobody else's question. */
  #ask(request: ValidationRequest): Promise<ValidationAnswer> {
    const answer = this.#last.then(() => this.#askNow(request));
    this.#last = answer.catch(() => undefined);
    return answer;
  }

  async #askNow(request: ValidationRequest): Promise<ValidationAnswer> {
    const worker = (this.#worker ??= startWorker());
    const { promise, resolve, reject } = Promise.withResolvers<ValidationAnswer>();
    const stop = (error: Error): void => {
      this.#worker = undefined;
      void worker.terminate();
      reject(error);
    };
    // The clock starts once the worker answers that it runs: starting it may take a while.
    let timer: NodeJS.Timeout | undefined;
    const listen = (message: "ready" | ValidationAnswer): void => {
      if (message !== "ready") return resolve(message);
      timer = setTimeout(() => stop(timedOut()), limits.validationMs);
    };
    const fail = (cause: unknown): void =>
      stop(new StoreError("internal", "The metadata validator failed.", { cause }));
    worker.on("message", listen);
    worker.once("error", fail);
    worker.postMessage(request);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      worker.off("message", listen);
      worker.off("error", fail);
    }
  }
}

function startWorker(): Worker {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const worker = new Worker(new URL(`./metadata-worker.${extension}`, import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: 128 },
  });
  worker.unref();
  return worker;
}

function timedOut(): StoreError {
  return new StoreError(
    "limit_exceeded",
    `Validating the metadata took longer than ${limits.validationMs} ms. Simplify the schema's patterns.`,
    { context: { limit: limits.validationMs } },
  );
}
