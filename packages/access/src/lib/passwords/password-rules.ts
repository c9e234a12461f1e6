import { StoreError } from "@store/identity";

import { commonWords } from "./common-words.ts";

/** How long a password is, in characters (code points) after {@link preparePassword}. */
const passwordLimits = { least: 12, most: 256 } as const;

/** Longer than this nothing is looked at, whatever it is made of. */
const longestUnits = 2_048;

/**
 * The form in which passwords are compared: Unicode's NFC, with every space that is not ASCII's
 * made one, as the OpaqueString profile asks (RFC 8265 section 4.2.2), so that a password does not
 * depend on the keyboard that typed it. NFKC is not taken: it makes different characters the same.
 */
export function preparePassword(password: string): string {
  return password.replaceAll(/\p{Zs}/gu, " ").normalize("NFC");
}

/**
 * The form of a new password that is hashed.
 *
 * @throws {StoreError} `invalid_password` saying which rule it breaks, never what it is
 */
export function newPassword(password: string, username: string): string {
  const given: unknown = password;
  if (typeof given !== "string" || !given.isWellFormed()) throw refused("is no well-formed text");
  if (given.length > longestUnits) throw tooLong();
  if (/\p{Cc}/u.test(given)) throw refused("holds a control character");
  const prepared = preparePassword(given);
  const length = Array.from(prepared).length;
  if (length < passwordLimits.least) {
    throw new StoreError(
      "invalid_password",
      `The password is shorter than ${passwordLimits.least} characters. Several words make a good one.`,
      { context: { limit: passwordLimits.least } },
    );
  }
  if (length > passwordLimits.most) throw tooLong();
  const weakness = weaknessOf(prepared, username);
  if (weakness !== undefined) throw refused(weakness);
  return prepared;
}

/** What makes a password one of the first that are tried, or undefined. */
function weaknessOf(password: string, username: string): string | undefined {
  const folded = password.normalize("NFKC").toLowerCase();
  const bare = stripped(folded);
  const letters = unleet(folded);
  const joined = folded.replaceAll(/[^\p{L}\p{N}]/gu, "");
  const forms = new Set([folded, bare, joined, letters, stripped(letters), unleet(bare)]);
  const core = stripped(username);
  for (const form of forms) {
    if (new Set(form.replaceAll(/\P{L}/gu, "")).size < 3 && new Set(folded).size < 5) {
      return "repeats a few characters";
    }
    const unit = repeatedUnit(form);
    if (unit.length <= 4 && form.length >= 8) return "repeats a few characters";
    if (commonWords.has(form) || commonWords.has(unit)) return "is one of the commonest";
    if (isSequence(form)) return "runs along the keyboard or the alphabet";
    const rest = withoutWords(form, [username, core]);
    if (rest !== undefined && rest.length < 8) return "is made of the username";
  }
  const rest = withoutWords(
    bare,
    [...commonWords].filter((word) => word.length >= 6),
  );
  if (rest !== undefined && rest.length < 4) return "is made of the commonest words";
  return undefined;
}

/** Without the digits and punctuation at both ends, which people add to be let through. */
function stripped(text: string): string {
  return text.replaceAll(/^[^\p{L}]+|[^\p{L}]+$/gu, "");
}

const letterOf: Readonly<Record<string, string>> = {
  "0": "o",
  "1": "i",
  "3": "e",
  "4": "a",
  "5": "s",
  "7": "t",
  "8": "b",
  "@": "a",
  $: "s",
  "!": "i",
  "+": "t",
};

/** `p4ssw0rd` as it is meant. */
function unleet(text: string): string {
  return text.replaceAll(/[013457@8$!+]/g, (sign) => letterOf[sign] ?? sign);
}

/** What a text is a repetition of: itself, if it is none. */
function repeatedUnit(text: string): string {
  // Where a text stands in itself doubled for the second time is how long its unit is.
  const period = (text + text).indexOf(text, 1);
  return period > 0 ? text.slice(0, period) : text;
}

const rows = [
  "abcdefghijklmnopqrstuvwxyz",
  "01234567890",
  "qwertyuiop",
  "asdfghjkl",
  "zxcvbnm",
  "qwertzuiop",
  "yxcvbnm",
  "azertyuiop",
  "qsdfghjklm",
  "wxcvbn",
  "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/",
  "qazwsxedcrfvtgbyhnujmikolp",
  "1q2w3e4r5t6y7u8i9o0p",
];
const lines = [...rows, ...rows.map((row) => Array.from(row).toReversed().join(""))];
const longestLine = Math.max(...lines.map((line) => line.length));

/** Whether a text is made of runs of four or more neighbours. */
function isSequence(text: string): boolean {
  let at = 0;
  while (at < text.length) {
    const run = longestRun(text.slice(at));
    if (run < 4 && !(at > 0 && run >= text.length - at)) return false;
    at += run;
  }
  return text.length > 0;
}

function longestRun(text: string): number {
  for (let length = Math.min(text.length, longestLine); length > 1; length--) {
    const start = text.slice(0, length);
    if (lines.some((line) => line.includes(start))) return length;
  }
  return text.length > 0 ? 1 : 0;
}

/** The letters that are left without the words in it; undefined where it holds none of them. */
function withoutWords(text: string, words: readonly string[]): string | undefined {
  const found = words.filter((word) => word.length >= 4 && text.includes(word));
  if (found.length === 0) return undefined;
  const longestFirst = found.toSorted((one, other) => other.length - one.length);
  return longestFirst.reduce((rest, word) => rest.replaceAll(word, ""), text);
}

function tooLong(): StoreError {
  return new StoreError(
    "invalid_password",
    `The password is longer than ${passwordLimits.most} characters.`,
    { context: { limit: passwordLimits.most } },
  );
}

function refused(weakness: string): StoreError {
  return new StoreError(
    "invalid_password",
    `The password ${weakness}. Several words that have nothing to do with each other make a good one.`,
  );
}
