import { setImmediate as nextTurn } from "node:timers/promises";
import { type ContentAddress, contentAddress, digestBytes } from "@store/identity";
import {
  ingestStream,
  removeObject,
  replicateObject,
  serveObject,
  type StorageBackend,
  verifyObject,
} from "@store/storage";
import { gathered, joined, sampleBytes } from "@store/storage/conformance";
import { withDeadlines } from "@store/storage/deadline";
import { type Fault, withFaults } from "@store/storage/faults";
import { createMemoryBackend } from "@store/storage/memory";
import { describe, expect, test } from "vitest";
import { chunked } from "./byte-sources.ts";

const MIB = 1024 * 1024;
const small = sampleBytes(10_000);
const large = sampleBytes(3 * MIB + 5);

type Left = "nothing" | "staged" | "object";

/** A faulty place, its deadline before it, and the object that was there before, if any. */
interface Trial {
  readonly place: StorageBackend;
  readonly backend: StorageBackend;
  readonly address: ContentAddress;
}

async function addressOf(bytes: Uint8Array): Promise<ContentAddress> {
  return contentAddress((await digestBytes(bytes)).primary);
}

async function put(backend: StorageBackend, bytes: Uint8Array): Promise<ContentAddress> {
  const write = { lease: "before", admit: async () => "write" as const };
  return (await ingestStream(backend, chunked(bytes, MIB), write)).address;
}

/** Runs `work` on a place with one fault, lets the fault pass, and says what came of it. */
async function strike(
  fault: Fault,
  held: Uint8Array | undefined,
  work: (trial: Trial) => Promise<unknown>,
): Promise<{ error: unknown; value: unknown; left: Left; trial: Trial }> {
  const place = createMemoryBackend();
  if (held !== undefined) await put(place, held);
  const faulty = withFaults(place, [fault]);
  const backend = withDeadlines(faulty, { answerMs: 25, durableMs: 25 });
  const trial = { place, backend, address: await addressOf(held ?? small) };
  const outcome = await work(trial).then(
    (value) => ({ value, error: undefined }),
    (error: unknown) => ({ value: undefined, error }),
  );
  expect(faulty.struck).toEqual([fault]);
  faulty.release();
  for (let turn = 0; turn < 20; turn++) await nextTurn();
  return { ...outcome, left: await leftIn(place), trial };
}

/** What is there, and that a sweep can discard what is staged of it. */
async function leftIn(place: StorageBackend): Promise<Left> {
  const staged = await gathered(place.listStaged());
  for (const { id } of staged) await place.discardStaged(id);
  expect(await gathered(place.listStaged())).toEqual([]);
  if (staged.length > 0) return "staged";
  return (await gathered(place.enumerate())).length > 0 ? "object" : "nothing";
}

const unavailable = expect.objectContaining({ name: "StoreError", code: "storage_unavailable" });
const corrupt = expect.objectContaining({ name: "StoreError", code: "object_corrupt" });

/** The faults of a verb that answers once, each with what an ingest may leave to a sweep. */
function callFaults(verb: "stage" | "write" | "commit", call = 1): [Fault, Left][] {
  const published = verb === "commit" ? "object" : "nothing";
  return [
    [{ verb, call, when: "before", effect: "fail" }, "nothing"],
    // The answer of stage was lost, and with it the id: its lease runs out.
    [{ verb, call, when: "after", effect: "fail" }, verb === "stage" ? "staged" : published],
    [{ verb, call, when: "before", effect: "hang" }, published],
    [{ verb, call, when: "after", effect: "hang" }, published],
  ];
}

const ingestFaults = [callFaults("stage"), callFaults("write"), callFaults("commit")].flat();
const readFaults: Fault[] = [0, 1, 3, "end" as const].flatMap((when) => [
  { verb: "open", when, effect: "fail" },
  { verb: "open", when, effect: "hang" },
]);
const lies: Fault[] = [0, 1, 3].flatMap((when) => [
  { verb: "open", when, effect: "truncate" },
  { verb: "open", when, effect: "corrupt" },
]);
const statFaults: Fault[] = (["before", "after"] as const).flatMap((when) => [
  { verb: "stat", when, effect: "fail" },
  { verb: "stat", when, effect: "hang" },
]);

function named<R extends readonly [Fault, ...unknown[]]>(rows: readonly R[]) {
  return rows.map((row): readonly [string, ...R] => {
    const { verb, when, effect, call = 1 } = row[0];
    return [`${verb} ${String(call)} (${effect}, ${when})`, ...row];
  });
}

describe.each([
  ["a small object", small],
  ["a large object", large],
])(
  "an ingest of %s is not acknowledged, and leaves nothing that no sweep finds, where",
  (_, bytes) => {
    const faults = bytes === large ? [...ingestFaults, ...callFaults("write", 3)] : ingestFaults;
    test.each(named(faults))("%s strikes", async (_title, fault, expected) => {
      const { error, left } = await strike(fault, undefined, async ({ backend }) =>
        ingestStream(backend, chunked(bytes, 65_536), { lease: "a", admit: async () => "write" }),
      );
      expect(error).toEqual(unavailable);
      expect(left).toBe(expected);
    });

    test.each(["fail", "hang"] as const)("abort after a refusal strikes (%s)", async (effect) => {
      const fault: Fault = { verb: "abort", when: "before", effect };
      const ingest = async ({ backend }: Trial) =>
        ingestStream(backend, chunked(large, 65_536), {
          lease: "a",
          expect: { sizeBytes: large.length - 1 },
          admit: async () => "write",
        });
      const { error, left } = await strike(fault, undefined, ingest);
      expect(error).toMatchObject({ code: "size_mismatch" });
      expect(left).toBe(effect === "fail" ? "staged" : "nothing");
    });
  },
);

describe("a served object never ends well unless it is whole, where", () => {
  const serve = async ({ backend, address }: Trial) =>
    joined((await serveObject(backend, address)).body);

  test.each(named([...statFaults, ...readFaults].map((fault) => [fault] as const)))(
    "%s strikes",
    async (_, fault) => {
      expect((await strike(fault, large, serve)).error).toEqual(unavailable);
    },
  );

  test.each(named(lies.map((fault) => [fault] as const)))("%s lies", async (_, fault) => {
    expect((await strike(fault, large, serve)).error).toEqual(corrupt);
  });

  test("a part of it is cut short", async () => {
    const fault: Fault = { verb: "open", when: 1, effect: "truncate" };
    const part = async ({ backend, address }: Trial) =>
      joined((await serveObject(backend, address, { range: { start: 10 } })).body);
    expect((await strike(fault, large, part)).error).toEqual(corrupt);
  });
});

describe("an object is not verified, where", () => {
  const verify = async ({ backend, address }: Trial) => verifyObject(backend, address);

  test.each(named(readFaults.map((fault) => [fault] as const)))("%s strikes", async (_, fault) => {
    expect((await strike(fault, large, verify)).error).toEqual(unavailable);
  });

  test.each(named(lies.map((fault) => [fault] as const)))("%s lies", async (_, fault) => {
    const { value } = await strike(fault, large, verify);
    expect(value).toMatchObject({ status: "corrupt" });
  });
});

describe("a removal is not acknowledged, where", () => {
  const remove = async ({ backend, address }: Trial) => removeObject(backend, address);
  const rows: [Fault, Left][] = [
    ...statFaults.map((fault): [Fault, Left] => [fault, "object"]),
    ...statFaults.map((fault): [Fault, Left] => [{ ...fault, call: 2 }, "nothing"]),
    [{ verb: "remove", when: "before", effect: "fail" }, "object"],
    [{ verb: "remove", when: "after", effect: "fail" }, "nothing"],
    [{ verb: "remove", when: "before", effect: "hang" }, "nothing"],
    [{ verb: "remove", when: "after", effect: "hang" }, "nothing"],
  ];

  test.each(named(rows))("%s strikes", async (_, fault, expected) => {
    const { error, left } = await strike(fault, small, remove);
    expect(error).toEqual(unavailable);
    expect(left).toBe(expected);
  });
});

describe("a replica is not acknowledged, and its source is left as it is, where", () => {
  const sourceFaults: [Fault, string][] = [
    ...[...statFaults, ...readFaults].map((fault): [Fault, string] => [
      fault,
      "storage_unavailable",
    ]),
    ...lies.map((fault): [Fault, string] => [fault, "object_corrupt"]),
  ];

  test.each(named(sourceFaults))("%s of the source strikes", async (_, fault, code) => {
    const target = createMemoryBackend();
    const { error, left } = await strike(fault, large, async ({ backend, address }) =>
      replicateObject(backend, target, address, { lease: "a" }),
    );
    expect(error).toMatchObject({ code });
    expect(left).toBe("object");
    expect(await leftIn(target)).toBe("nothing");
  });

  const targetFaults = statFaults.map((fault): [Fault, Left] => [fault, "nothing"]);
  test.each(named([...targetFaults, ...ingestFaults]))(
    "%s of the target strikes",
    async (_, fault, expected) => {
      const source = createMemoryBackend();
      const address = await put(source, large);
      const { error, left } = await strike(fault, undefined, async ({ backend }) =>
        replicateObject(source, backend, address, { lease: "a" }),
      );
      expect(error).toEqual(unavailable);
      expect(left).toBe(expected);
      expect(await verifyObject(source, address)).toMatchObject({ status: "ok" });
    },
  );
});
