import { assertVersion } from "./names.ts";

/** The parts of a version that take part in precedence; build metadata does not. */
interface Semver {
  readonly numbers: readonly [major: string, minor: string, patch: string];
  readonly prerelease: readonly string[];
}

const versionLengthLimit = 128;
const numberPattern = /^(?:0|[1-9][0-9]*)$/u;
const identifierPattern = /^[0-9A-Za-z-]+$/u;
const digitsPattern = /^[0-9]+$/u;

/** Whether a version follows Semantic Versioning 2.0.0, without a leading `v`. */
export function isSemver(version: string): boolean {
  return parseSemver(version) !== undefined;
}

/** Whether a version is semver with a prerelease part, such as `1.0.0-rc.1`. */
export function isPrerelease(version: string): boolean {
  const semver = parseSemver(version);
  return semver !== undefined && semver.prerelease.length > 0;
}

/**
 * Orders versions by semver precedence (Semantic Versioning 2.0.0, section 11): negative where `a`
 * is lower, zero where neither is. Versions that are no semver are equal among each other and
 * below all that are. Numbers of any length compare exactly.
 */
export function compareVersions(a: string, b: string): number {
  const left = parseSemver(a);
  const right = parseSemver(b);
  if (left === undefined || right === undefined) {
    return Number(left !== undefined) - Number(right !== undefined);
  }
  for (const [index, number] of left.numbers.entries()) {
    const order = compareNumbers(number, right.numbers[index] ?? "0");
    if (order !== 0) return order;
  }
  return comparePrereleases(left.prerelease, right.prerelease);
}

/**
 * A text of ASCII characters whose bytewise order (SQLite `BINARY`, PostgreSQL `COLLATE "C"`) is
 * that of {@link compareVersions}; versions that compare equal have equal keys. At most 256
 * characters.
 *
 * A semver is `1`, then major, minor and patch, each as two hex digits of its length and its
 * digits, then `~` where there is no prerelease, otherwise each identifier (a number as `0`, length
 * and digits, anything else as `1`, the text and `!`) and a final `!`. Everything else is `0`.
 *
 * @throws {StoreError} `invalid_name` where `version` is no acceptable version.
 */
export function versionSortKey(version: string): string {
  assertVersion(version);
  const semver = parseSemver(version);
  if (semver === undefined) return "0";
  const numbers = semver.numbers.map(numberKey).join("");
  if (semver.prerelease.length === 0) return `1${numbers}~`;
  const identifiers = semver.prerelease.map((identifier) =>
    digitsPattern.test(identifier) ? `0${numberKey(identifier)}` : `1${identifier}!`,
  );
  return `1${numbers}${identifiers.join("")}!`;
}

/** One finalized package, as far as `latest` is concerned. */
export interface LatestCandidate {
  readonly version: string;
  /** The `seq` of the event that finalized it. */
  readonly finalizedSeq: number;
  readonly yanked: boolean;
}

/**
 * The version that `latest` means where nobody has set a tag of that name: the highest by
 * precedence, prereleases and yanked ones left out. Among versions of equal precedence, and among
 * those that are no semver, the one finalized last. Undefined where none remains.
 */
export function latestOf(candidates: Iterable<LatestCandidate>): string | undefined {
  let latest: LatestCandidate | undefined;
  for (const candidate of candidates) {
    if (candidate.yanked || isPrerelease(candidate.version)) continue;
    if (latest === undefined || isLater(candidate, latest)) latest = candidate;
  }
  return latest?.version;
}

function isLater(candidate: LatestCandidate, latest: LatestCandidate): boolean {
  const order = compareVersions(candidate.version, latest.version);
  return order === 0 ? candidate.finalizedSeq > latest.finalizedSeq : order > 0;
}

function parseSemver(version: string): Semver | undefined {
  if (version.length > versionLengthLimit) return undefined;
  const plus = version.indexOf("+");
  const precedent = plus === -1 ? version : version.slice(0, plus);
  if (
    plus !== -1 &&
    !version
      .slice(plus + 1)
      .split(".")
      .every(isIdentifier)
  )
    return undefined;
  const dash = precedent.indexOf("-");
  const [major, minor, patch, ...rest] = (dash === -1 ? precedent : precedent.slice(0, dash)).split(
    ".",
  );
  if (major === undefined || minor === undefined || patch === undefined) return undefined;
  if (rest.length > 0 || ![major, minor, patch].every(isNumber)) return undefined;
  const prerelease = dash === -1 ? [] : precedent.slice(dash + 1).split(".");
  if (!prerelease.every(isPrereleaseIdentifier)) return undefined;
  return { numbers: [major, minor, patch], prerelease };
}

function isNumber(text: string): boolean {
  return numberPattern.test(text);
}

function isIdentifier(text: string): boolean {
  return identifierPattern.test(text);
}

function isPrereleaseIdentifier(text: string): boolean {
  return isIdentifier(text) && (isNumber(text) || !digitsPattern.test(text));
}

/** Without leading zeros the longer number is the greater: no size is too great. */
function compareNumbers(a: string, b: string): number {
  return a.length === b.length ? compareTexts(a, b) : a.length - b.length;
}

function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function comparePrereleases(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return Number(a.length === 0) - Number(b.length === 0);
  for (const [index, identifier] of a.entries()) {
    const other = b[index];
    if (other === undefined) return 1;
    const order = compareIdentifiers(identifier, other);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareIdentifiers(a: string, b: string): number {
  const aIsNumber = digitsPattern.test(a);
  const bIsNumber = digitsPattern.test(b);
  if (aIsNumber !== bIsNumber) return aIsNumber ? -1 : 1;
  return aIsNumber ? compareNumbers(a, b) : compareTexts(a, b);
}

function numberKey(digits: string): string {
  return digits.length.toString(16).padStart(2, "0") + digits;
}
