import { join } from "node:path";

import { runReadmeExamples } from "@store/testing/readme";
import { expect, test } from "vitest";

test("the README's examples compile, run and print what they should", async () => {
  const [whole, mirrored, walked, moved, scoped] = await runReadmeExamples(
    join(import.meta.dirname, ".."),
  );
  expect(whole?.stdout).toMatch(/^10 verified bytes\nblake3:[0-9a-f]{64} 0\n$/);
  expect(mirrored?.stdout).toBe("5 bytes from offsite\n[ 'disk: object_not_found' ]\n");
  expect(walked?.stdout).toBe("1 copied, 0 problems\n2 copies read\n[ 'primary: ok' ]\n");
  expect(moved?.stdout).toMatch(/^comparing 0 0\n/);
  expect(scoped?.stdout).toBe("[ 'acme' ]\npackage_not_found\n8 events up to 10\n");
});
