import { StoreError } from "@store/identity";

/** What a pass over a JSON text finds that its parsed value no longer shows. */
export interface JsonScan {
  /** How many members its objects have, repeated keys counted each time. */
  readonly members: number;
  /** The first integer that a double cannot hold, as it is written. */
  readonly inexact: string | undefined;
}

const quote = 0x22;
const backslash = 0x5c;
/** Integers of as many digits are always exact. */
const exactDigits = 15;
/** Above every double that is finite. */
const integerDigitsLimit = 309;

/**
 * Looks through a text that may or may not be JSON, in one pass and without recursion, before
 * anything is built from it.
 *
 * @throws {StoreError} `limit_exceeded` where arrays and objects are nested too deeply
 */
export function scanJson(text: string, maxDepth: number): JsonScan {
  let depth = 0;
  let members = 0;
  let inexact: string | undefined;
  for (let index = 0; index < text.length; index += 1) {
    switch (text[index]) {
      case '"':
        index = endOfString(text, index);
        break;
      case "{":
      case "[":
        depth += 1;
        if (depth > maxDepth) {
          throw new StoreError(
            "limit_exceeded",
            `The JSON is nested more than ${maxDepth} deep; flatten it.`,
            { context: { limit: maxDepth } },
          );
        }
        break;
      case "}":
      case "]":
        depth -= 1;
        break;
      case ":":
        members += 1;
        break;
      default: {
        if (!isDigit(text, index)) break;
        const end = endOfNumber(text, index);
        if (end - index > exactDigits) inexact ??= inexactInteger(text.slice(index, end));
        index = end - 1;
      }
    }
  }
  return { members, inexact };
}

/** The index of the closing quote, or of the last character where there is none. */
function endOfString(text: string, start: number): number {
  for (let index = start + 1; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit === quote) return index;
    if (unit === backslash) index += 1;
  }
  return text.length;
}

function isDigit(text: string, index: number): boolean {
  const unit = text.charCodeAt(index);
  return unit >= 0x30 && unit <= 0x39;
}

function endOfNumber(text: string, start: number): number {
  let end = start + 1;
  while (end < text.length && "0123456789.eE+-".includes(text.charAt(end))) end += 1;
  return end;
}

function inexactInteger(literal: string): string | undefined {
  if (!/^[0-9]+$/.test(literal)) return undefined;
  if (literal.length > integerDigitsLimit) return `${literal.slice(0, 40)}…`;
  const number = Number(literal);
  // A double's shortest digits stand for it, though they may not be its exact value.
  const isExact = String(number) === literal || BigInt(literal) === BigInt(number);
  return isExact ? undefined : literal;
}
