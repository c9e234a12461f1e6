import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

import { describe, expect, it } from "vitest";

import { Sandbox, source } from "./store.ts";

interface Event {
  seq: number;
  type: string;
  subject: string;
  actor: string;
  payload: Record<string, unknown>;
}

function eventsIn(stdout: string): Event[] {
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Event);
}

describe("the log", () => {
  it("is one line an event, in order, and can be taken up again", async () => {
    await using sandbox = await Sandbox.create();
    await sandbox.write({ "tree/a": "a" });
    await sandbox.ok("push", "tree", "acme/app@1", "--tag", "stable");
    const events = eventsIn((await sandbox.ok("log", "--json")).stdout);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    expect(events.at(-1)).toMatchObject({ type: "v1.tag.set", actor: "tester" });
    const later = eventsIn((await sandbox.ok("log", "--json", "--since", "8")).stdout);
    expect(later).toEqual(events.slice(8));
    const first = eventsIn((await sandbox.ok("log", "--json", "--limit", "3")).stdout);
    expect(first).toEqual(events.slice(0, 3));
    const typed = await sandbox.ok(
      "log",
      "--json",
      "--type",
      "v1.tag.set",
      "--type",
      "v1.file.added",
    );
    expect(eventsIn(typed.stdout)).toEqual(events.filter(({ type }) => /tag|file/.test(type)));
    expect((await sandbox.ok("log", "--since", "99", "--json")).stdout).toBe("");
  });

  it("shows digests in a payload as the manifest's JSON does", async () => {
    await using sandbox = await Sandbox.create();
    await sandbox.write({ "tree/a": "a" });
    await sandbox.ok("push", "tree", "acme/app@1");
    const type = "v1.package.finalized";
    const [event] = eventsIn((await sandbox.ok("log", "--json", "--type", type)).stdout);
    const manifest = await sandbox.json<{ files: unknown }>("manifest", "acme/app@1");
    expect(event?.payload.files).toEqual(manifest.files);
  });

  it("is followed until Ctrl-C, without missing or repeating an event", async () => {
    await using sandbox = await Sandbox.create();
    await sandbox.write({ "tree/a": "a", "tree/b": "b" });
    await sandbox.ok("push", "tree", "acme/app@1");
    const follow = sandbox.start("log", "--follow", "--json", "--since", "6");
    const lines = createInterface({ input: follow.child.stdout });
    const seen: Event[] = [];
    const finalized = async (count: number): Promise<void> => {
      const isDone = () =>
        seen.filter(({ type }) => type === "v1.package.finalized").length >= count;
      if (isDone()) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      lines.on("line", () => {
        if (isDone()) resolve();
      });
      await promise;
    };
    lines.on("line", (line) => seen.push(JSON.parse(line) as Event));
    await finalized(1);
    await sandbox.ok("push", "tree", "acme/app@2");
    await finalized(2);
    follow.child.kill("SIGINT");
    const { exitCode, stderr } = await follow.answer;
    expect({ exitCode, stderr }).toEqual({ exitCode: 130, stderr: "" });
    expect(seen.map(({ seq }) => seq)).toEqual(seen.map((_, index) => index + 7));
  });

  it("ends by itself where nobody reads on", async () => {
    await using sandbox = await Sandbox.create();
    await sandbox.write({ "tree/a": "a" });
    await sandbox.ok("push", "tree", "acme/app@1");
    const log = spawn(process.execPath, [source, "log", "--follow"], {
      cwd: sandbox.folder,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const exited = once(log, "exit");
    await once(log.stdout, "data");
    log.stdout.destroy();
    await sandbox.ok("push", "tree", "acme/app@2");
    expect(await exited).toEqual([0, null]);
  });
});
