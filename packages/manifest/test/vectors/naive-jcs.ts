/** The projection, written as plainly as can be. */
export function naiveJcs(value: unknown, field = ""): string {
  if (value instanceof Uint8Array) {
    const buffer = Buffer.from(value);
    // Metadata is canonical already.
    return field === "metadata" ? buffer.toString("utf8") : `"${field}:${buffer.toString("hex")}"`;
  }
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item) => naiveJcs(item)).join(",")}]`;
  const members = Object.entries(value)
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, item]) => `${JSON.stringify(key)}:${naiveJcs(item, key)}`);
  return `{${members.join(",")}}`;
}
