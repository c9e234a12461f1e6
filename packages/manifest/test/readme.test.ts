import { join } from "node:path";
import { runReadmeExamples } from "@store/testing/readme";
import { expect, test } from "vitest";

test("the README's examples compile, run and print what they should", async () => {
  const [first, second] = await runReadmeExamples(join(import.meta.dirname, ".."));
  expect(first?.stdout).toBe(
    [
      "518 24970e466fb61b25",
      "{ licence: 'Apache-2.0', score: 0.5 }",
      "sha256:b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9",
      "true",
      "",
    ].join("\n"),
  );
  expect(second?.stdout).toBe(
    [
      "{ size: 42, type: 'example', digest: Uint8Array(2) [ 1, 2 ] }",
      "Not canonical CBOR at byte 0: integer encoded in more bytes than necessary (strict decode)." +
        " Encode it as RFC 8949 section 4.2.1 says.",
      "",
    ].join("\n"),
  );
});
