import { validate } from "@hyperjump/json-schema/openapi-3-1";

/** What of a document breaks the meta-schema of OpenAPI 3.1, its schemas included. */
export async function openApiProblems(document: unknown): Promise<string[]> {
  const output = await validate(
    "https://spec.openapis.org/oas/3.1/schema-base",
    JSON.parse(JSON.stringify(document)),
    "BASIC",
  );
  if (output.valid) return [];
  return (output.errors ?? []).map((error) => error.instanceLocation ?? "somewhere");
}
