import { parentPort } from "node:worker_threads";

import { Ajv2020 } from "ajv/dist/2020.js";

import type { JsonObject } from "./types.ts";

/** A schema to compile, and the metadata to hold against it where there is some. */
export interface ValidationRequest {
  readonly schema: JsonObject;
  readonly metadata?: JsonObject;
}

export type ValidationAnswer =
  | { readonly outcome: "valid" }
  | { readonly outcome: "invalid" | "invalid_schema"; readonly problem: string };

const reportedProblems = 3;

function answer(request: ValidationRequest): ValidationAnswer {
  // Formats are annotations, as draft 2020-12 has them by default.
  const ajv = new Ajv2020({
    allErrors: false,
    strict: false,
    validateFormats: false,
    logger: false,
  });
  let validate;
  try {
    if ("$async" in request.schema) throw new Error("$async is not supported");
    validate = ajv.compile(request.schema);
  } catch (error) {
    return { outcome: "invalid_schema", problem: error instanceof Error ? error.message : "?" };
  }
  if (request.metadata === undefined || validate(request.metadata)) return { outcome: "valid" };
  const problems = (validate.errors ?? []).slice(0, reportedProblems);
  return {
    outcome: "invalid",
    problem: problems
      .map((problem) => `${problem.instancePath || "/"} ${problem.message ?? "is not accepted"}`)
      .join("; "),
  };
}

parentPort?.on("message", (request: ValidationRequest) => {
  parentPort?.postMessage("ready");
  parentPort?.postMessage(answer(request));
});
