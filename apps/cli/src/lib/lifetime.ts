import { UsageError } from "./usage-error.ts";

const unitSeconds = { m: 60, h: 3600, d: 86_400, w: 604_800, y: 31_536_000 } as const;

/**
 * A lifetime like `30d` in seconds.
 *
 * @throws {UsageError} for what is none.
 */
export function parseLifetime(text: string): number {
  const [, count = "", unit = ""] = /^([1-9]\d{0,5})([mhdwy])$/.exec(text) ?? [];
  if (isUnit(unit)) return Number(count) * unitSeconds[unit];
  throw new UsageError(
    `'${text}' is no lifetime.`,
    "Give a number and m, h, d, w or y, like 90m, 12h or 30d.",
  );
}

function isUnit(text: string): text is keyof typeof unitSeconds {
  return Object.hasOwn(unitSeconds, text);
}
