import { join } from "node:path";
import { runReadmeExamples } from "@store/testing/readme";
import { expect, test } from "vitest";

test("the README's examples compile, run and print what they say", async () => {
  const [first, second] = await runReadmeExamples(join(import.meta.dirname, ".."));
  expect(first?.stdout).toBe(
    [
      "blake3:d74981efa70a0c880b8d8c1985d075dbcbf679b99a5f9914e5aaf96b831a9e24",
      "sha256:b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9 11",
      "{ kind: 'version', version: '1.2.0', variant: 'linux-amd64' }",
      "acme/app@1.2.0/linux-amd64",
      "[ '1.9.0', '1.10.0-rc.1', '1.10.0' ]",
      'The reference "Acme/app" is not acceptable: The namespace "Acme" is not acceptable; ' +
        "begin with a letter or digit and use only lowercase letters, digits, '.', '_' and '-'.",
      "",
    ].join("\n"),
  );
  expect(second?.stdout).toBe("true\n");
});
