import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { promisify } from "node:util";

import { expect, test } from "vitest";

const run = promisify(execFile);
const packageFolder = join(import.meta.dirname, "..");

/** As a program that installed the package would: what runs is the built JavaScript. */
const program = `
  import { MetadataValidator } from "./dist/lib/metadata-validator.js";
  const validator = new MetadataValidator();
  const json = (value) => new TextEncoder().encode(JSON.stringify(value));
  const schema = json({ required: ["team"] });
  await validator.checkSchema(schema);
  await validator.validate("service@1", schema, json({ team: "core" }));
  const refusal = await validator.validate("service@1", schema, json({})).catch((error) => error);
  console.log(refusal.code);
  await validator.close();
`;

test("the built package validates metadata in its worker", async () => {
  const require = createRequire(import.meta.url);
  const compiler = join(require.resolve("typescript/package.json"), "../bin/tsc");
  await run(process.execPath, [compiler, "-b", packageFolder]);
  const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", program], {
    cwd: packageFolder,
  });
  expect(stdout).toBe("invalid_metadata\n");
});
