/** The names of locks. */
import { StoreError } from "@store/identity";

const nameRule = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/** Throws `invalid_argument` for what is no name of a lock: it is part of a file's name too. */
export function assertLockName(name: string): void {
  if (nameRule.test(name)) return;
  throw new StoreError(
    "invalid_argument",
    "A lock's name has up to 64 small letters, digits, dots, hyphens and underscores, and begins " +
      "with a letter or a digit.",
    { context: { actual: name } },
  );
}
