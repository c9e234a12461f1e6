import { describe, expect, test } from "vitest";

import { dialects, openTestInstance, publish } from "./instance.ts";

describe.each(dialects)("the log, followed through the registry on %s", (dialect) => {
  test("shows each event once and in order, those of other actors and registries too", async () => {
    await using instance = await openTestInstance(dialect, { inFile: true });
    const { registry } = instance;
    const other = await instance.apart({ actor: "another process" });
    const { size: birth } = await registry.head();
    const ending = new AbortController();
    const expected = birth + 4 * 3;
    const seqs: number[] = [];
    const actors = new Set<string>();
    const following = (async () => {
      for await (const event of registry.tailEvents({ since: 0, signal: ending.signal })) {
        seqs.push(event.seq);
        actors.add(event.actor);
        if (event.seq === expected) ending.abort();
      }
    })();
    await Promise.all([
      publish(registry, { name: "a", version: "1.0.0" }),
      publish(registry.as("alice"), { name: "b", version: "1.0.0" }),
      publish(other, { name: "c", version: "1.0.0" }),
      publish(other.as("bob"), { name: "d", version: "1.0.0" }),
    ]);
    await following;
    expect(seqs).toEqual(Array.from({ length: expected }, (_, index) => index + 1));
    expect([...actors].toSorted()).toEqual(["alice", "another process", "bob", "tester"]);
  });

  test("begins where it is asked to, and keeps to the types that are asked for", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    for (const version of ["1.0.0", "2.0.0"]) await publish(registry, { version });
    const ending = new AbortController();
    const types = ["v1.package.finalized"];
    const found: [number, string][] = [];
    const tail = registry.tailEvents({ since: 9, types, signal: ending.signal });
    for await (const { seq, type } of tail) {
      found.push([seq, type]);
      ending.abort();
    }
    expect(found).toEqual([[12, "v1.package.finalized"]]);
    const { items: read } = await registry.readEvents({ types, after: 0, limit: 10 });
    expect(read.map((event) => event.seq)).toEqual([9, 12]);
  });

  test("names the actor on whose behalf each command was run", async () => {
    await using instance = await openTestInstance(dialect);
    const { registry } = instance;
    const alice = registry.as("alice");
    const { id } = await publish(alice, { version: "1.0.0" });
    const hold = await alice.as("bob").placeHold(id, "audit");
    const released = await registry.releaseHold(hold.id);
    expect(released).toMatchObject({ placedBy: "bob", releasedBy: "tester" });
    expect(await registry.getPackage(id)).toMatchObject({ createdBy: "alice" });
    const { items: byBob } = await registry.readEvents({ actor: "bob" });
    expect(byBob.map((event) => event.type)).toEqual(["v1.hold.placed"]);
    for (const actor of ["", "x".repeat(257), "a\nb", "\ud800", 7 as unknown as string]) {
      expect(() => registry.as(actor)).toThrow(
        expect.objectContaining({ code: "invalid_argument" }),
      );
    }
  });
});
