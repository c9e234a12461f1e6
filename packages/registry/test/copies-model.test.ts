import { proving } from "@store/testing/prove";
import fc from "fast-check";
import { expect, test } from "vitest";

import { openCopiesWorld } from "./copies.ts";
import { CopiesModel, deed } from "./copies-model.ts";
import { dialects } from "./instance.ts";

test.each(dialects)(
  "whatever happens to copies, no work loses an object, on %s",
  async (dialect) => {
    const property = fc.asyncProperty(
      fc.array(deed, { maxLength: 25, size: "max" }),
      async (deeds) => {
        await using world = await openCopiesWorld(dialect);
        const model = new CopiesModel(world);
        for (const each of deeds) await model.run(each);
        await model.settle();
      },
    );
    const runs = dialect === "sqlite" ? 20 : 1;
    const numRuns = proving ? runs * 10 : runs;
    await expect(fc.assert(property, { numRuns })).resolves.toBeUndefined();
  },
);
