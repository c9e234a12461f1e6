import { routes, type Route, type RouteName } from "@store/api";
import { isStoreError } from "@store/identity";
import { account, proving } from "@store/testing/prove";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { openCallers, openSetupCaller, type Caller } from "./access-callers.ts";
import { Fixtures } from "./access-fixtures.ts";
import { rows, type Asked, type Row } from "./access-rows.ts";
import { expectedAnswer, type Expected } from "./access-rule.ts";
import { dialects, openWorld } from "./access-world.ts";
import { fieldsOf } from "./download.ts";
import type { WholeServer } from "./whole-server.ts";

const names = Object.keys(routes) as RouteName[];

interface Table {
  readonly server: WholeServer;
  readonly fixtures: Fixtures;
  readonly anonymousRead: boolean;
}

/** One request of one caller, and what has to come of it. */
interface Case extends Table {
  readonly name: RouteName;
  readonly row: Row;
  readonly caller: Caller;
}

interface Answer {
  readonly status: number;
  readonly code: string | undefined;
  readonly text: string;
  readonly fields: Record<string, string>;
}

let requests = 0;

async function call(one: Case, asked: Asked, method: string): Promise<Answer> {
  requests += 1;
  const { params = {}, query = "", headers, body } = asked;
  const { path }: Route = routes[one.name];
  const target = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => params[name] ?? "");
  const isRaw = body instanceof Uint8Array;
  const { authorization } = one.caller;
  const response = await fetch(`${one.server.url}${target}${query}`, {
    method,
    headers: {
      ...(authorization === undefined ? {} : { authorization }),
      ...(body === undefined || isRaw ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: isRaw ? new Uint8Array(body) : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isProblem = response.headers.get("content-type") === "application/problem+json";
  const code = isProblem && text !== "" ? (JSON.parse(text) as { code: string }).code : undefined;
  return { status: response.status, code, text, fields: fieldsOf(response) };
}

function codeOf(expected: Expected, absence: string): string {
  return expected.answer === "refused" ? expected.code : absence;
}

/** What is wrong about an answer, in words; nothing where all is right. */
function wrongAbout({ name, row }: Case, expected: Expected, answer: Answer): string[] {
  const { absence = "package_not_found" } = row;
  const { status, text } = answer;
  // A problem without a body is told by its status alone.
  const code = routes[name].method === "HEAD" ? codeOf(expected, absence) : answer.code;
  const got = `${status} ${code ?? text.slice(0, 200)}`;
  const isSuccess = status >= 200 && status < 300;
  if (expected.answer === "refused") {
    const right = status === expected.status && code === expected.code;
    return right ? [] : [`${got} instead of ${expected.status} ${expected.code}`];
  }
  if (expected.answer === "success" || absence === "success") {
    return isSuccess ? [] : [`${got} instead of success`];
  }
  return status === 404 && code === absence ? [] : [`${got} instead of 404 ${absence}`];
}

/** The events after a place, as far as they say what is wrong about them. */
async function wrongAboutEvents(one: Case, asked: Asked, after: number, isDone: boolean) {
  const { items } = await one.server.registry.readEvents({ after, limit: 1_000 });
  const wanted = isDone && one.row.leaves === "events";
  if (!wanted) return items.map(({ type }) => `left ${type}`);
  if (items.length === 0) return ["left no event"];
  const actor = asked.actor ?? one.caller.actor;
  return items
    .filter((event) => event.actor !== actor)
    .map((event) => `${event.type} names ${event.actor} instead of ${actor}`);
}

/** Paths at which HEAD is an operation of its own. */
const hasOwnHead = new Set<string>(
  Object.values(routes).flatMap(({ method, path }) => (method === "HEAD" ? [path] : [])),
);

async function wrongAboutHead(one: Case, asked: Asked, got: Answer): Promise<string[]> {
  if (routes[one.name].method !== "GET") return [];
  const head = await call(one, asked, "HEAD");
  const wrong = head.status === got.status ? [] : [`HEAD gives ${head.status}, GET ${got.status}`];
  if (head.text !== "") wrong.push("HEAD has a body");
  if (one.row.isUnsteady === true) return wrong;
  for (const name of new Set([...Object.keys(head.fields), ...Object.keys(got.fields)])) {
    const values = [head.fields[name], got.fields[name]];
    const isFraming = name === "transfer-encoding";
    if (values[0] !== values[1] && !isFraming)
      wrong.push(`${name} of HEAD and GET: ${values.join()}`);
  }
  return wrong;
}

/** Runs one case and tells all that is wrong about it. */
async function wrongWith(one: Case): Promise<string[]> {
  const { registry } = one.server;
  const route: Route = routes[one.name];
  const asked = await one.row.ask(one.fixtures, one.caller);
  const before = await registry.head();
  const answer = await call(one, asked, route.method);
  const expected = expectedAnswer({ name: one.name, access: route.access }, one.caller, one);
  const isDone = expected.answer === "success";
  if (isDone) asked.succeeded?.();
  const wrong = [
    ...wrongAbout(one, expected, answer),
    ...(await wrongAboutEvents(one, asked, before.size, isDone)),
    ...(hasOwnHead.has(route.path) ? [] : await wrongAboutHead(one, asked, answer)),
  ];
  return wrong.map((what) => `${one.name} by ${one.caller.name}: ${what}`);
}

async function wrongWithRoute(table: Table, callers: readonly Caller[], name: RouteName) {
  const wrong: string[] = [];
  for (const caller of callers) {
    wrong.push(...(await wrongWith({ ...table, name, row: rows[name], caller })));
  }
  return wrong;
}

const instances = dialects.flatMap((dialect) =>
  [false, true].map((anonymousRead) => ({ dialect, anonymousRead })),
);

/** Everybody, where there is the time for it; else on one instance, and elsewhere who is typical. */
function callersOf(
  callers: readonly Caller[],
  { dialect, anonymousRead }: (typeof instances)[number],
  name: RouteName,
): readonly Caller[] {
  const isWhole = dialect === "sqlite" && !anonymousRead && routes[name].access !== "public";
  return proving || isWhole ? callers : callers.filter(({ isTypical }) => isTypical);
}

describe.each(instances)("on $dialect, where everybody may read: $anonymousRead", (instance) => {
  let table: Table;
  let callers: readonly Caller[];
  beforeAll(async () => {
    requests = 0;
    const server = await openWorld(instance.dialect, instance);
    callers = await openCallers(server);
    table = { server, fixtures: await Fixtures.open(server), ...instance };
  });
  afterAll(async () => {
    account("access table", { ...instance, callers: callers.length, requests });
    await table.server[Symbol.asyncDispose]();
  });

  it.each(names)("%s answers whoever may call it, and refuses everybody else", async (name) => {
    const chosen = callersOf(callers, instance, name);
    expect(await wrongWithRoute(table, chosen, name)).toEqual([]);
  });

  it("nothing of that was a failure of the server, and the views are those of the log", async () => {
    expect(table.server.failures.filter((error) => !isStoreError(error))).toEqual([]);
    expect(await table.server.registry.replay({ check: true })).toMatchObject({ differences: [] });
  });
});

describe.each(instances)("the setup token on $dialect, open: $anonymousRead", (instance) => {
  it("makes the first user, once, and opens nothing else", async () => {
    await using server = await openWorld(instance.dialect, instance);
    const caller = await openSetupCaller(server);
    const table = { server, fixtures: await Fixtures.open(server), ...instance };
    const guarded = names.filter((name) => routes[name].access !== "public");
    const others = guarded.filter((name) => name !== "createUser");
    for (const name of others) {
      expect(await wrongWithRoute(table, [caller], name)).toEqual([]);
    }
    expect(await wrongWithRoute(table, [caller], "createUser")).toEqual([]);
    const { actor: _, ...used } = { ...caller, kind: "refused" as const };
    for (const name of guarded) {
      const one = { ...table, name, row: rows[name], caller: used };
      expect(await wrongWith(one)).toEqual([]);
    }
  });
});
