import type { Principal } from "@store/access";

/** For what may be another the next time. */
export const notCached = "no-store";

/**
 * For what never changes. A shared cache may keep it only if it was given to somebody without a
 * credential, and so to everybody.
 */
export function cachedForEver(principal: Principal): string {
  const scope = principal.kind === "anonymous" ? "public" : "private";
  return `${scope}, max-age=31536000, immutable`;
}
