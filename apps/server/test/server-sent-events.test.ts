import type { StoredEvent } from "@store/events";
import { encodeCbor } from "@store/manifest";
import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, it } from "vitest";

import { serverSentEvents } from "../src/lib/http/server-sent-events.ts";

function event(seq: number): StoredEvent {
  return {
    seq,
    id: "id",
    type: "v1.package.created",
    occurredAt: "2026-01-01T00:00:00.000Z",
    actor: "ada",
    subject: "acme/app@1.0.0",
    header: new Uint8Array(),
    payload: encodeCbor({ seq }),
    payloadSha256: new Uint8Array(32),
  };
}

const refused = async () => undefined;

describe("a stream of events", () => {
  it("tells a subscriber that takes too long why it is dropped, having read no further", async () => {
    let readEvents = 0;
    let isEnded = false;
    async function* log() {
      try {
        for (let seq = 1; ; seq += 1) {
          readEvents = seq;
          yield event(seq);
        }
      } finally {
        isEnded = true;
      }
    }
    const texts: string[] = [];
    for await (const chunk of serverSentEvents(log(), {
      heartbeatMs: 10_000,
      slowMs: 20,
      refused,
    })) {
      texts.push(Buffer.from(chunk).toString());
      if (texts.length === 3) await wait(60);
    }
    expect(texts.map((text) => /^(?:id: (\d+)|event: (\w+)|:)/.exec(text)?.[0])).toEqual([
      ":",
      "id: 1",
      "id: 2",
      "event: dropped",
    ]);
    expect(readEvents).toBeLessThanOrEqual(3);
    expect(isEnded).toBe(true);
  });

  it("passes on what the log fails with, and ends it when the subscriber leaves", async () => {
    async function* broken() {
      yield event(1);
      throw new Error("the log is gone");
    }
    const stream = serverSentEvents(broken(), { heartbeatMs: 10_000, slowMs: 10_000, refused });
    await expect(Array.fromAsync(stream)).rejects.toThrow("the log is gone");
  });
});
