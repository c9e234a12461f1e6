// Holds the S3 double and the S3 backend against Debian's radosgw: installs what is missing of it
// (as root), starts it on loopback, runs both suites and the proofs of several servers against it and
// ends it. Arguments go to vitest in place of these, so `pnpm run test:s3 packages/storage-s3` runs one.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { installRadosgw, startRadosgw } from "@store/testing/radosgw";

const root = resolve(import.meta.dirname, "..");
const vitest = join(root, "node_modules/vitest/vitest.mjs");
const suites = [
  "packages/testing/test/s3-double.test.ts",
  "packages/storage-s3",
  "apps/cli/test/cluster.test.ts",
  "apps/cli/test/cluster-upload.test.ts",
];
/** The version whose differences the cases know: that of Debian 12. */
const described = "16.2";
const given = process.argv.slice(2);
const wanted = given.length > 0 ? given : suites.filter((path) => existsSync(join(root, path)));

await installRadosgw();
const gateway = await startRadosgw();
console.log(`${gateway.version}, at ${gateway.endpoint}`);
if (!gateway.version.includes(` version ${described}.`)) {
  console.log(`The differences that are written down are those of ${described}: expect others.`);
}
try {
  // One file at a time: they share one small disk.
  const values = ["run", "--no-file-parallelism", ...wanted];
  const child = spawn(process.execPath, [vitest, ...values], {
    cwd: root,
    stdio: "inherit",
    env: {
      ...process.env,
      STORE_TEST_S3_ENDPOINT: gateway.endpoint,
      STORE_TEST_S3_REGION: gateway.region,
      STORE_TEST_S3_BUCKET: gateway.bucket,
      STORE_TEST_S3_ACCESS_KEY_ID: gateway.credentials.accessKeyId,
      STORE_TEST_S3_SECRET_ACCESS_KEY: gateway.credentials.secretAccessKey,
    },
  });
  const [status] = (await once(child, "exit")) as [number | null];
  process.exitCode = status ?? 1;
} finally {
  await gateway.stop();
}
