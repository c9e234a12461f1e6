import type { EventFacts } from "@store/events";
import { formatNamePattern, parseNamePattern, type NamePattern } from "@store/identity";

import { assertInteger, listOf, objectOf, textOf, wrongType } from "./arguments.ts";
import { isAboutCopies } from "./events/copies.ts";
import { isOwnEventType } from "./events/types.ts";
import { nameOfSubject } from "./events/subjects.ts";
import { limits } from "./limits.ts";
import { rangesHold, rangesOf, type NameRange } from "./queries/name-ranges.ts";
import type { ReadScope } from "./types.ts";

/** Something that stands under a `namespace/name`. */
interface Named {
  readonly namespace: string;
  readonly name: string;
}

/** What one caller may read. */
export interface Scope {
  /** The names, sorted and apart from one another; undefined for all. */
  readonly ranges: readonly NameRange[] | undefined;
  covers(named: Named): boolean;
  /** Tells the events that may be read; undefined where all may. */
  readonly acceptsEvent: ((event: Pick<EventFacts, "type" | "subject">) => boolean) | undefined;
}

/** On whose behalf something is asked. */
export interface Caller {
  readonly actor: string;
  readonly scope: Scope;
}

/** What a caller without bounds may read: all there is. */
export const wholeScope: Scope = {
  ranges: undefined,
  covers: () => true,
  acceptsEvent: undefined,
};

/** @throws {StoreError} `invalid_argument` unless it says what may be read */
export function scopeOf(readable: ReadScope | undefined): Scope {
  if (readable === undefined) return wholeScope;
  const { names, accounts } = objectOf("readable", readable);
  if (typeof accounts !== "boolean") throw wrongType("accounts", "true or false", accounts);
  listOf("names that are readable", names);
  assertInteger("number of readable names", names.length, 0, limits.readablePatterns);
  const patterns = names.map(checkedPattern);
  const isEverything = patterns.some((pattern) => formatNamePattern(pattern) === "*");
  if (isEverything && accounts) return wholeScope;
  const ranges = isEverything ? undefined : rangesOf(patterns);
  const covers = ({ namespace, name }: Named): boolean =>
    ranges === undefined || rangesHold(ranges, [namespace, name]);
  return {
    ranges,
    covers,
    acceptsEvent: ({ type, subject }) => {
      if (!isOwnEventType(type) || isAboutCopies(type)) return accounts;
      const named = nameOfSubject(subject);
      return named === undefined || covers(named);
    },
  };
}

/** A pattern as its own grammar reads it, whoever made it. */
function checkedPattern(pattern: NamePattern): NamePattern {
  const { namespace, name } = objectOf("pattern of names", pattern);
  for (const part of [namespace, name]) {
    textOf("part of the pattern", objectOf("part of the pattern", part).text);
  }
  const text = formatNamePattern(pattern);
  const parsed = parseNamePattern(text);
  if (isEqual(parsed.namespace, namespace) && isEqual(parsed.name, name)) return parsed;
  throw wrongType("pattern of names", "one that can be written", text);
}

function isEqual(one: NamePattern["name"], other: NamePattern["name"]): boolean {
  return one.text === other.text && one.isPrefix === other.isPrefix;
}
