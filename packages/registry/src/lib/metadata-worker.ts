import { parentPort } from "node:worker_threads";

import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";

import type { JsonObject } from "./types.ts";

/** A schema to compile, and the metadata to hold against it where there is some: canonical JSON. */
export interface ValidationRequest {
  readonly schema: Uint8Array;
  readonly metadata?: Uint8Array;
}

export type ValidationAnswer =
  | { readonly outcome: "valid" }
  | { readonly outcome: "invalid" | "invalid_schema"; readonly problem: string };

/** What a message says of a problem: keys and patterns may be as long as the metadata. */
const problemLength = 500;

function answer(request: ValidationRequest): ValidationAnswer {
  let validate: ValidateFunction;
  try {
    validate = compile(parse(request.schema));
    if (request.metadata === undefined || validate(parse(request.metadata))) {
      return { outcome: "valid" };
    }
  } catch (error) {
    // A schema that refers to itself without end is found out only when it is used.
    return { outcome: "invalid_schema", problem: shortened(String(error)) };
  }
  const { instancePath = "", message = "is not accepted" } = validate.errors?.[0] ?? {};
  return { outcome: "invalid", problem: shortened(`${instancePath || "/"} ${message}`) };
}

function compile(schema: JsonObject): ValidateFunction {
  if ("$async" in schema) throw new Error("$async is not supported");
  // Formats are annotations, as draft 2020-12 has them by default.
  const ajv = new Ajv2020({ strict: false, validateFormats: false, logger: false });
  return ajv.compile(schema);
}

function parse(json: Uint8Array): JsonObject {
  return JSON.parse(new TextDecoder().decode(json)) as JsonObject;
}

function shortened(problem: string): string {
  const line = problem.replace(/\p{Cc}+/gu, " ");
  return line.length <= problemLength ? line : `${line.slice(0, problemLength)}…`;
}

parentPort?.on("message", (request: ValidationRequest) => {
  parentPort?.postMessage("ready");
  parentPort?.postMessage(answer(request));
});
