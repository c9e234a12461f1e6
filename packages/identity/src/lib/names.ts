import { StoreError } from "./error.ts";
import { quote, shorten } from "./quote.ts";

const nameLengthLimit = 128;
const namePattern = /^[a-z0-9][a-z0-9._-]*$/u;
const versionPattern = /^[A-Za-z0-9][A-Za-z0-9._+-]*$/u;

/** @throws {StoreError} `invalid_name` unless it matches `^[a-z0-9][a-z0-9._-]{0,127}$`. */
export function assertNamespace(value: string): void {
  assertLowercaseName("namespace", value);
}

/** @throws {StoreError} `invalid_name` unless it matches `^[a-z0-9][a-z0-9._-]{0,127}$`. */
export function assertName(value: string): void {
  assertLowercaseName("name", value);
}

/** @throws {StoreError} `invalid_name` unless it matches `^[a-z0-9][a-z0-9._-]{0,127}$`. */
export function assertVariant(value: string): void {
  assertLowercaseName("variant", value);
}

/** @throws {StoreError} `invalid_name` unless it matches `^[a-z0-9][a-z0-9._-]{0,127}$`. */
export function assertTag(value: string): void {
  assertLowercaseName("tag", value);
}

/** @throws {StoreError} `invalid_name` unless it matches `^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$`. */
export function assertVersion(value: string): void {
  assertMatches("version", value, versionPattern, "letters, digits, '.', '_', '+' and '-'");
}

function assertLowercaseName(part: string, value: string): void {
  assertMatches(part, value, namePattern, "lowercase letters, digits, '.', '_' and '-'");
}

function assertMatches(part: string, value: string, pattern: RegExp, characters: string): void {
  if (typeof value !== "string") {
    throw new StoreError("invalid_name", `A ${part} is a text, not ${quote(value)}.`);
  }
  if (value === "") {
    throw new StoreError("invalid_name", `The ${part} is empty; give at least one character.`, {
      context: { actual: "" },
    });
  }
  if (value.length > nameLengthLimit) {
    throw new StoreError(
      "invalid_name",
      `The ${part} ${quote(value)} has ${value.length} characters; ` +
        `shorten it to ${nameLengthLimit}.`,
      { context: { actual: shorten(value), limit: nameLengthLimit } },
    );
  }
  if (pattern.test(value)) return;
  throw new StoreError(
    "invalid_name",
    `The ${part} ${quote(value)} is not acceptable; begin with a letter or digit and use ` +
      `only ${characters}.`,
    { context: { actual: value } },
  );
}
