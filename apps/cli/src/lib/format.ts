const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** A size in IEC units with three digits that count: `1.21 GiB`. */
export function formatSize(sizeBytes: number): string {
  let value = sizeBytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

/** `10,001` */
export function formatCount(count: number): string {
  return count.toLocaleString("en-US");
}

/** `1 file`, `10,001 files` */
export function formatCounted(count: number, noun: string, plural = `${noun}s`): string {
  return `${formatCount(count)} ${count === 1 ? noun : plural}`;
}

/** RFC 3339 for a person: `2026-03-01 12:30:05Z`. */
export function formatTime(time: string): string {
  return time.replace("T", " ").replace(/\.\d+Z$/, "Z");
}

/** Minutes and seconds, hours where there are any: `1:02:03`. */
export function formatDuration(seconds: number): string {
  const whole = Math.round(seconds);
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  const rest = String(whole % 60).padStart(2, "0");
  if (hours === 0) return `${minutes}:${rest}`;
  return `${hours}:${String(minutes).padStart(2, "0")}:${rest}`;
}
