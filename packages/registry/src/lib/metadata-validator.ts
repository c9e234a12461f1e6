import { Worker } from "node:worker_threads";

import { StoreError } from "@store/identity";

import { limits } from "./limits.ts";
import type { ValidationAnswer, ValidationRequest } from "./metadata-worker.ts";

/**
 * Validates JSON against JSON Schema (draft 2020-12) in a worker, so that a pattern or a schema
 * that takes for ever is cut off after {@link limits.validationMs} and blocks nobody else. Both are
 * given as canonical JSON: what is validated is what is recorded.
 */
export class MetadataValidator {
  #worker: Worker | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /** Throws `invalid_schema` unless `schema` compiles without any remote reference. */
  async checkSchema(schema: Uint8Array): Promise<void> {
    const answer = await this.#ask({ schema });
    if (answer.outcome === "valid") return;
    throw new StoreError(
      "invalid_schema",
      `The metadata schema is not acceptable: ${answer.problem}. ` +
        "It must be JSON Schema of draft 2020-12, whose references stay inside it.",
    );
  }

  /** Throws `invalid_metadata` naming the first problem unless `metadata` satisfies `schema`. */
  async validate(reference: string, schema: Uint8Array, metadata: Uint8Array): Promise<void> {
    const answer = await this.#ask({ schema, metadata });
    if (answer.outcome === "valid") return;
    const context = { expected: reference };
    if (answer.outcome === "invalid") {
      const message = `The metadata does not satisfy the schema ${reference}: ${answer.problem}.`;
      throw new StoreError("invalid_metadata", message, { context });
    }
    const message = `The schema ${reference} cannot be applied to the metadata: ${answer.problem}.`;
    throw new StoreError("invalid_schema", message, { context });
  }

  /** Cuts off what is asked, and asks nothing more. */
  async close(): Promise<void> {
    await this.#last;
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
    const stop = (error: StoreError): void => {
      this.#worker = undefined;
      void worker.terminate();
      reject(error);
    };
    // The clock starts once the worker answers that it runs: starting it may take a while.
    let timer: NodeJS.Timeout | undefined;
    const listen = (message: "ready" | ValidationAnswer): void => {
      if (message !== "ready") return resolve(message);
      timer = setTimeout(() => stop(tooMuch("time")), limits.validationMs);
    };
    const fail = (cause: unknown): void => stop(workerFailed(cause));
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
    // What the process was started with, such as --input-type, is not meant for the worker.
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: limits.validationMegabytes },
  });
  worker.unref();
  return worker;
}

function workerFailed(cause: unknown): StoreError {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  if (code === "ERR_WORKER_OUT_OF_MEMORY") return tooMuch("memory");
  return new StoreError("internal", "The metadata validator failed.", { cause });
}

function tooMuch(what: "time" | "memory"): StoreError {
  const limit = what === "time" ? limits.validationMs : limits.validationMegabytes;
  const unit = what === "time" ? "ms" : "MB";
  return new StoreError(
    "limit_exceeded",
    `Validating the metadata took more than ${limit} ${unit} of ${what}. Simplify the schema.`,
    { context: { limit } },
  );
}
