import type { ObjectRetrieval } from "@store/storage";

/** Whether an object cannot be read before it is restored; one of which nothing is said can be. */
export function isLocked(retrieval: ObjectRetrieval | undefined): boolean {
  return retrieval?.tier === "archive" && retrieval.restore !== "restored";
}
