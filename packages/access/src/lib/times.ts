/** RFC 3339 UTC with milliseconds. */
export function formatTime(ms: number): string {
  return new Date(ms).toISOString();
}
