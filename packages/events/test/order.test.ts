import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { naiveMerkleRoot } from "@store/testing/merkle";
import { account, rounds } from "@store/testing/prove";
import { describe, expect, test } from "vitest";

import { countTo, dialects, hex, openTestLog, readWhole, seqsOf, take } from "./test-log.ts";

const program = fileURLToPath(new URL("programs/append-many.ts", import.meta.url));
const processes = 4;
const writersEach = 8;
const commandsEach = rounds(1_000);

/** Runs one process of writers and gives the events that it was told are durable. */
async function appendMany(url: string): Promise<string[]> {
  const args = [program, url, String(writersEach), String(commandsEach)];
  const options = { timeout: 280_000, maxBuffer: 1 << 28 };
  const { stdout } = await promisify(execFile)(process.execPath, args, options);
  return stdout.trimEnd().split("\n");
}

/** How many events one writer appends: one a command, a second every third, none every seventh. */
function eventsOfWriter(): number {
  const kept = countTo(commandsEach).filter((command) => command % 7 !== 0);
  return kept.length + kept.filter((command) => command % 3 === 0).length;
}

describe.each(dialects)("order on %s", (dialect) => {
  test(
    "holds for 32 writers in four processes, for a tail beside them, and in the tree",
    { timeout: 300_000 },
    async () => {
      await using place = await openTestLog(dialect);
      const count = processes * writersEach * eventsOfWriter();
      const tailing = take(place.log.tail({ since: 0 }), count);
      const answers = await Promise.all(countTo(processes).map(() => appendMany(place.url)));
      const tailed = await tailing;
      const stored = await readWhole(place.log);

      expect(seqsOf(stored)).toEqual(countTo(count));
      expect(seqsOf(tailed)).toEqual(countTo(count));
      expect(tailed.map(({ id }) => id)).toEqual(stored.map(({ id }) => id));
      const acknowledged = new Set(answers.flat());
      expect(acknowledged).toEqual(new Set(stored.map(({ seq, id }) => `${seq} ${id}`)));
      expect(new Set(stored.map(({ actor }) => actor)).size).toBe(processes * writersEach);

      const head = await place.log.head();
      expect(head.size).toBe(count);
      expect(hex(head.root)).toBe(hex(naiveMerkleRoot(stored.map(({ header }) => header))));
      await place.log.verify();
      account(`order on ${dialect}`, {
        processes,
        writers: processes * writersEach,
        events: count,
      });
    },
  );
});
