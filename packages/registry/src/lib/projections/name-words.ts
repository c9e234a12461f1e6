import { statement, type Statement } from "@store/database";
import { and, eq, inArray, sql as raw } from "drizzle-orm";

import { nameWords } from "../name-words.ts";
import type { ViewWriter } from "./view-writer.ts";

interface Named {
  readonly namespace: string;
  readonly name: string;
}

type WordStatement = Statement<Record<string, unknown>, unknown>;

/** One statement for each number of words, since each has its own text. */
function byCount(build: (count: number) => WordStatement): (count: number) => WordStatement {
  const built: WordStatement[] = [];
  return (count) => (built[count] ??= build(count));
}

const insertWords = byCount((count) =>
  statement((sql, { nameWords: t }, p) =>
    sql
      .insert(t)
      .values(
        Array.from({ length: count }, (_, index) => ({
          word: p(`word${index}`),
          namespace: p("namespace"),
          name: p("name"),
        })),
      )
      .onConflictDoNothing(),
  ),
);

/** Has the name found by its words, if it was not already. */
export async function projectNamed(views: ViewWriter, named: Named): Promise<void> {
  const words = nameWords(named);
  await insertWords(words.length)(views.sql, parametersOf(named, words));
}

const deleteWords = byCount((count) =>
  statement((sql, { nameWords: t, artifactPackages: packages }, p) => {
    const words = Array.from({ length: count }, (_, index) => p(`word${index}`));
    const left = sql
      .select({ packageId: packages.packageId })
      .from(packages)
      .where(and(eq(packages.namespace, p("namespace")), eq(packages.name, p("name"))))
      .limit(1);
    return sql
      .delete(t)
      .where(
        and(
          inArray(t.word, raw`(${raw.join(words, raw`, `)})`),
          eq(t.namespace, p("namespace")),
          eq(t.name, p("name")),
          raw`not exists ${left}`,
        ),
      );
  }),
);

/** Has the name no longer found, if no package is left under it. */
export async function projectUnnamed(views: ViewWriter, named: Named): Promise<void> {
  const words = nameWords(named);
  await deleteWords(words.length)(views.sql, parametersOf(named, words));
}

function parametersOf({ namespace, name }: Named, words: readonly string[]) {
  return { namespace, name, ...Object.fromEntries(words.map((word, at) => [`word${at}`, word])) };
}
