import { randomBytes } from "node:crypto";

import { account, proving, rounds } from "@store/testing/prove";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { bytes } from "./access-fixtures.ts";
import { dialects, openAccount, openWorld } from "./access-world.ts";
import { fieldsOf } from "./download.ts";
import {
  absentBeside,
  absentThing,
  hiddenThing,
  ownThings,
  type Own,
  type Thing,
} from "./guessing-population.ts";
import { guessesOf, type Guess } from "./guessing-requests.ts";
import type { WholeServer } from "./whole-server.ts";

interface Answer {
  readonly status: number;
  readonly fields: Readonly<Record<string, string>>;
  readonly text: string;
}

let requests = 0;

async function ask(server: WholeServer, token: string, guess: Guess): Promise<Answer> {
  requests += 1;
  const { method, path, headers, body } = guess;
  const isText = typeof body === "string";
  const response = await fetch(server.url + path, {
    method,
    headers: {
      ...(token === "" ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined || isText ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
  });
  const text = Buffer.from(await response.arrayBuffer()).toString("latin1");
  return { status: response.status, fields: fieldsOf(response), text };
}

/** The answer with what the caller said itself called by what it is. */
function told(answer: Answer, thing: Thing): Answer {
  const { requestId } = /"requestId":"(?<requestId>[^"]+)"/.exec(answer.text)?.groups ?? {};
  const names = [
    ...Object.entries(thing),
    ["word", thing.name.split("-")[1] ?? ""],
    ["requestId", requestId ?? "\0"],
  ];
  const hide = (text: string): string =>
    names.reduce((hidden, [name = "", value = ""]) => hidden.replaceAll(value, `<${name}>`), text);
  const fields = Object.entries(answer.fields).map(([name, value]) => [name, hide(value)]);
  return { ...answer, fields: Object.fromEntries(fields), text: hide(answer.text) };
}

/** What a guess changed in the world is no secret: times and ids of one's own new things. */
function timeless(answer: Answer): Answer {
  const text = answer.text
    .replaceAll(/"\d{4}-\d\d-\d\dT[\d:.]+Z"/g, '"<time>"')
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f-]{21}/g, "<id>");
  return { ...answer, text };
}

/** Scopes of the callers who guess, with the namespace in which things are hidden from them. */
const callers = [
  { scopes: ["read:acme/*", "read:zeta/*"], within: undefined },
  { scopes: ["write:acme/*", "read:zeta/*"], within: undefined },
  { scopes: ["admin:acme/*", "read:zeta/*"], within: undefined },
  { scopes: ["admin:acme/app", "admin:acme/app-*", "admin:zeta/*"], within: "acme" },
  { scopes: ["metrics"], within: undefined },
  { scopes: [], within: undefined },
] as const;

describe.each(dialects)("on %s, a caller who guesses what is hidden", (dialect) => {
  let server: WholeServer;
  let own: Own;
  let hidden: { readonly apart: Thing[]; readonly within: Thing[] };
  let tokens: string[];

  beforeAll(async () => {
    requests = 0;
    server = await openWorld(dialect);
    own = await ownThings(server);
    hidden = { apart: [], within: [] };
    for (let index = 0; index < 3; index += 1) {
      hidden.apart.push(await hiddenThing(server));
      hidden.within.push(await hiddenThing(server, "acme"));
    }
    tokens = [];
    for (const { scopes } of callers) tokens.push((await openAccount(server, ...scopes)).token);
  });
  afterAll(async () => {
    account("guessing", { dialect, requests });
    await server[Symbol.asyncDispose]();
  });

  const thingsOf = (caller: number): Thing[] =>
    callers[caller]?.within === undefined ? hidden.apart : [...hidden.apart, ...hidden.within];

  /** What tells a thing that is there from one that is not, by one way to ask. */
  async function difference(token: string, thing: Thing, other: Thing, way: number) {
    const [one, two] = [guessesOf(thing, own)[way], guessesOf(other, own)[way]];
    if (one === undefined || two === undefined) throw new Error("There is no such way to ask.");
    const answers = [
      told(await ask(server, token, one), thing),
      told(await ask(server, token, two), other),
    ] as const;
    return { asked: `${one.method} ${one.path}`, answers };
  }

  it("gets the same answer for what is there and for what is not, in every way to ask", async () => {
    for (const [caller, token] of ["", ...tokens].entries()) {
      const things = thingsOf(Math.max(0, caller - 1));
      const thing = things[caller % things.length];
      if (thing === undefined) throw new Error("Something is hidden.");
      const other = absentBeside(thing);
      const ways = guessesOf(thing, own).length;
      for (let way = 0; way < ways; way += 1) {
        const { asked, answers } = await difference(token, thing, other, way);
        if (asked.includes("cursor=W") && caller > 0 && caller < 5) {
          expect({ asked, status: answers[0].status }).toEqual({ asked, status: 200 });
        }
        expect({ asked, answer: answers[0] }).toEqual({ asked, answer: answers[1] });
      }
    }
  });

  it("learns nothing from a mixture of what is there and what is not", async () => {
    const fieldNames = Object.keys(absentThing()) as (keyof Thing)[];
    const property = fc.asyncProperty(
      fc.nat({ max: callers.length - 1 }),
      fc.nat(),
      fc.nat(),
      fc.subarray(fieldNames, { minLength: 1 }),
      async (caller, which, way, replaced) => {
        const things = thingsOf(caller);
        const thing = things[which % things.length];
        if (thing === undefined) return;
        const absent = absentBeside(thing);
        const parts = replaced.map((name) => [name, absent[name]]);
        const other: Thing = { ...thing, ...Object.fromEntries(parts) };
        const ways = guessesOf(thing, own).length;
        const made = await difference(tokens[caller] ?? "", thing, other, way % ways);
        expect({ ...made, answers: made.answers[0] }).toEqual({
          ...made,
          answers: made.answers[1],
        });
      },
    );
    const seed = proving ? {} : { seed: 20_260_102 };
    await fc.assert(property, { numRuns: rounds(5_000), ...seed });
  });

  it("is told nothing of it by any list, page of events or stream", async () => {
    const secrets = [...hidden.apart, ...hidden.within].flatMap(
      ({ namespace, name, packageId, address, manifestDigest, holdId }) =>
        [name, packageId, address, manifestDigest, holdId, namespace].filter((t) => t !== "acme"),
    );
    const token = tokens[3] ?? "";
    const paths = ["packages", "names", "holds", "events", "events?since=3&limit=5", "uploads"];
    for (const path of [...paths, "packages?q=secret", "packages?q=hidden", "packages?q=a"]) {
      const { status, text } = await ask(server, token, {
        method: "GET",
        path: `/api/v1/${path}`,
      });
      expect(status).toBe(200);
      expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);
    }
    const cbor = { accept: "application/cbor-seq" };
    const sequence = await ask(server, token, {
      method: "GET",
      path: "/api/v1/events",
      headers: cbor,
    });
    expect(sequence.text).toContain("acme/app@1.0.0");
    expect(secrets.filter((secret) => sequence.text.includes(secret))).toEqual([]);
    const stream = await followUntil(server, token, "zeta/app");
    expect(stream).toContain("acme/app");
    expect(secrets.filter((secret) => stream.includes(secret))).toEqual([]);
  });

  it("is told of a stream about something hidden as of one about nothing", async () => {
    const token = tokens[0] ?? "";
    for (const thing of [...hidden.apart, absentThing()]) {
      const subject = `${thing.namespace}/${thing.name}`;
      const path = `/api/v1/events?subject=${subject}`;
      expect(await firstOf(server, token, path)).toBe(": nothing happened\n\n");
    }
  });

  it("has to send the bytes of what is stored already, and is told so", async () => {
    const token = tokens[1] ?? "";
    const place = await server.registry.createPackage({
      namespace: "hidden-of-others",
      name: "secret",
      version: "1.0.0",
    });
    for (const isThere of [true, false]) {
      const content = randomBytes(64).toString("hex");
      if (isThere) await server.registry.ingestFile(place.id, "secret", bytes(content));
      const path = `/api/v1/packages/${own.openId}/files/known-${String(isThere).padEnd(5, "-")}`;
      const put = await ask(server, token, { method: "PUT", path, body: content });
      expect(put).toMatchObject({
        status: 201,
        text: expect.stringContaining('"deduplicated":false'),
      });
    }
  });

  it("does as it asks where another has used the same idempotency key", async () => {
    const token = tokens[1] ?? "";
    const answers: Answer[] = [];
    for (const [index, thing] of [hidden.apart[0], absentThing()].entries()) {
      const body = { namespace: "acme", name: "keyed", version: `1.0.${index}` };
      const headers = { "idempotency-key": thing?.key ?? "" };
      const path = "/api/v1/packages";
      const answer = await ask(server, token, { method: "POST", path, headers, body });
      const { location: _, ...fields } = answer.fields;
      const text = answer.text.replaceAll(body.version, "<version>");
      answers.push(timeless({ ...answer, fields, text }));
    }
    expect(answers[0]).toMatchObject({ status: 201 });
    expect(answers[0]).toEqual(answers[1]);
  });

  it("would be told by nearly every way to ask, if it were not hidden", async () => {
    const { token } = await openAccount(server, "admin:*");
    const thing = await hiddenThing(server);
    const other = absentBeside(thing);
    const ways = guessesOf(thing, own).entries();
    const told: boolean[] = [];
    for (const [way, { method, path }] of ways) {
      // What is refused to readers whatever is there, and what asks for a place in a list alone.
      const isAlike = path.includes("cursor=") || path.includes("/acme/app");
      if (method !== "GET" || isAlike) continue;
      const { answers } = await difference(token, thing, other, way);
      told.push(JSON.stringify(answers[0]) !== JSON.stringify(answers[1]));
    }
    expect(told.filter(Boolean).length / told.length).toBeGreaterThan(0.8);
  });

  it("has changed nothing of all that", async () => {
    for (const { packageId, openId, uploadId, tag, ...thing } of thingsOf(3)) {
      expect(await server.registry.getPackage(packageId)).toMatchObject({ status: "finalized" });
      expect(await server.registry.getPackage(openId)).toMatchObject({ status: "open" });
      const { items } = await server.registry.listTags(thing.namespace, thing.name);
      expect(items.map((one) => one.tag)).toEqual([tag]);
      const other = server.registry.as(`token:${thing.tokenId}`);
      expect(await other.getUpload(uploadId)).toMatchObject({ status: "complete" });
    }
    expect(server.failures).toEqual([]);
  });
});

async function* streamOf(server: WholeServer, token: string, path: string) {
  const ending = new AbortController();
  const headers = { accept: "text/event-stream" };
  const options = { token, headers, signal: ending.signal };
  const response = await server.request("GET", path, options);
  try {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) yield decoder.decode(chunk, { stream: true });
  } finally {
    ending.abort();
  }
}

async function firstOf(server: WholeServer, token: string, path: string): Promise<string> {
  for await (const text of streamOf(server, token, path)) return text;
  return "";
}

/** Follows the log from its beginning until something is told of a name. */
async function followUntil(server: WholeServer, token: string, name: string): Promise<string> {
  let all = "";
  for await (const text of streamOf(server, token, "/api/v1/events")) {
    all += text;
    if (all.includes(name)) break;
  }
  return all;
}
