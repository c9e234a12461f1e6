/** RFC 3339 UTC with milliseconds, the one form of time in events, manifests and views. */
export function formatTime(ms: number): string {
  return new Date(ms).toISOString();
}

/** `time` moved by `ms` milliseconds. */
export function addMilliseconds(time: string, ms: number): string {
  return formatTime(Date.parse(time) + ms);
}

/** `time` moved by whole days of 24 hours. */
export function addDays(time: string, days: number): string {
  return addMilliseconds(time, days * 24 * 60 * 60 * 1000);
}
