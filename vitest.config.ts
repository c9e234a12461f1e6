import { defineConfig } from "vitest/config";

// A proof at its whole size may take an hour; at a tenth of it, a minute is much.
const proving = process.env.STORE_PROVE === "1";
const testTimeout = proving ? 3_600_000 : 60_000;
const hookTimeout = proving ? 600_000 : 120_000;

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "store",
          // Starts PostgreSQL when the first test asks for it, and ends it with the run.
          globalSetup: ["packages/testing/src/lib/postgres/setup.ts"],
          include: [
            "packages/*/test/**/*.test.ts",
            "apps/*/test/**/*.test.ts",
            "test/**/*.test.ts",
          ],
          testTimeout,
          hookTimeout,
        },
      },
      {
        // The repository's own checks, each shown to fail on a bad fixture.
        test: {
          name: "workspace",
          include: ["scripts/test/**/*.test.ts"],
          testTimeout,
          hookTimeout,
        },
      },
    ],
  },
});
