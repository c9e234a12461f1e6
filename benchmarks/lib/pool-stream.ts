/** Views of the pool, again and again, until there were `sizeBytes`. */
export async function* poolStream(
  pool: Uint8Array,
  sizeBytes: number,
  chunkBytes: number,
): AsyncGenerator<Uint8Array> {
  for (let sent = 0; sent < sizeBytes; sent += chunkBytes) {
    const start = sent % pool.length;
    yield pool.subarray(start, start + Math.min(chunkBytes, sizeBytes - sent));
  }
}
