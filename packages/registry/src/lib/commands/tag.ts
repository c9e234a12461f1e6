import type { Sql, Tables } from "@store/database";
import { StoreError } from "@store/identity";

import type { Decide } from "./run.ts";
import { findFinalizedPackage, rowReference } from "../queries/find.ts";
import { findTag, tagInfo } from "../queries/tags.ts";
import { tagSubject } from "../events/subjects.ts";
import type { TagInfo } from "../types.ts";

/** The package id that a tag must target for a change to happen; null for none. */
type Expected = string | null | undefined;

/** Moves a tag to a finalized package. A tag that is there already makes no event. */
export function setTag(command: {
  readonly packageId: string;
  readonly tag: string;
  readonly expected: Expected;
}): Decide<TagInfo> {
  return async ({ sql, tables }) => {
    const { packageId, tag, expected } = command;
    const row = await findFinalizedPackage(sql, packageId);
    const { namespace, name } = row;
    const previous = await targetOf(sql, tables, namespace, name, tag);
    refuseUnexpected(`${namespace}/${name}:${tag}`, expected, previous);
    return {
      events:
        previous === packageId
          ? []
          : [
              {
                type: "v1.tag.set",
                subject: tagSubject(namespace, name, tag),
                payload: { namespace, name, tag, package_id: packageId, previous },
              },
            ],
      answer: async (view) => {
        const found = await findTag(view.sql, view.tables, namespace, name, tag);
        if (found === undefined) {
          throw new StoreError("log_corrupt", `The tag ${rowReference(row)}:${tag} was not set.`);
        }
        return tagInfo(found);
      },
    };
  };
}

/** Removes a tag; `tag_not_found` where there is none. */
export function removeTag(command: {
  readonly namespace: string;
  readonly name: string;
  readonly tag: string;
  readonly expected: Expected;
}): Decide<null> {
  return async ({ sql, tables }) => {
    const { namespace, name, tag, expected } = command;
    const reference = `${namespace}/${name}:${tag}`;
    const previous = await targetOf(sql, tables, namespace, name, tag);
    if (previous === undefined) {
      throw new StoreError("tag_not_found", `There is no tag ${reference}.`, {
        context: { reference },
      });
    }
    refuseUnexpected(reference, expected, previous);
    return {
      events: [
        {
          type: "v1.tag.removed",
          subject: tagSubject(namespace, name, tag),
          payload: { namespace, name, tag, previous },
        },
      ],
      answer: () => null,
    };
  };
}

async function targetOf(
  sql: Sql,
  tables: Tables,
  namespace: string,
  name: string,
  tag: string,
): Promise<string | undefined> {
  return (await findTag(sql, tables, namespace, name, tag))?.tag.packageId;
}

function refuseUnexpected(reference: string, expected: Expected, actual: string | undefined): void {
  if (expected === undefined || expected === (actual ?? null)) return;
  throw new StoreError(
    "tag_conflict",
    `The tag ${reference} targets ${actual ?? "nothing"}, not ${expected ?? "nothing"}. ` +
      "Look at it again, then decide.",
    { context: { reference, expected, actual: actual ?? null } },
  );
}
