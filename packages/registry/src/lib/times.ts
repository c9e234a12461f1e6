/** RFC 3339 UTC with milliseconds, the one form of time in events, manifests and views. */
export function formatTime(ms: number): string {
  return new Date(ms).toISOString();
}

/** `time` moved by `ms` milliseconds. */
export function addMilliseconds(time: string, ms: number): string {
  return formatTime(Date.parse(time) + ms);
}

/** When what was finalized at `from` expires after whole days of 24 hours, or undefined for never. */
export function expiry(from: string | null, durationDays: number | null): string | undefined {
  if (from === null || durationDays === null) return undefined;
  return addMilliseconds(from, durationDays * 24 * 60 * 60 * 1000);
}
