import { StoreError } from "@store/identity";

import { shown } from "../arguments.ts";
import { tagSubject } from "../events/subjects.ts";
import { setTagRow } from "../projections/tags.ts";
import { findFinalizedPackage } from "../queries/find.ts";
import { findTag, tagInfo } from "../queries/tags.ts";
import type { TagInfo } from "../types.ts";
import { changed, unchanged, type Decide } from "./decision.ts";

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
    const target = await findFinalizedPackage(sql, packageId);
    const { namespace, name } = target;
    const found = await findTag(sql, tables, { namespace, name, tag });
    refuseUnexpected(`${namespace}/${name}:${tag}`, expected, found?.packageId);
    if (found?.packageId === packageId) return unchanged(tagInfo(found, target));
    return changed(
      {
        type: "v1.tag.set",
        subject: tagSubject(namespace, name, tag),
        payload: { namespace, name, tag, package_id: packageId, previous: found?.packageId },
      },
      (event) => tagInfo(setTagRow(event), target),
    );
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
    const found = await findTag(sql, tables, command);
    if (found === undefined) throw unknownTag(command);
    refuseUnexpected(reference, expected, found.packageId);
    return changed(
      {
        type: "v1.tag.removed",
        subject: tagSubject(namespace, name, tag),
        payload: { namespace, name, tag, previous: found.packageId },
      },
      () => null,
    );
  };
}

/** The refusal of a tag that is not there. */
export function unknownTag(target: {
  readonly namespace: string;
  readonly name: string;
  readonly tag: string;
}): StoreError {
  const reference = `${target.namespace}/${target.name}:${target.tag}`;
  const context = { reference };
  return new StoreError("tag_not_found", `There is no tag ${reference}.`, { context });
}

function refuseUnexpected(reference: string, expected: Expected, actual: string | undefined): void {
  if (expected === undefined || expected === (actual ?? null)) return;
  throw new StoreError(
    "tag_conflict",
    `The tag ${reference} targets ${actual ?? "nothing"}, not ` +
      `${expected === null ? "nothing" : shown(expected)}. ` +
      "Look at it again, then decide.",
    { context: { reference, expected, actual: actual ?? null } },
  );
}
