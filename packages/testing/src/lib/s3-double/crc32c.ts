/** CRC-32C (Castagnoli; RFC 3720, appendix B.4), eight bytes a step. */
const polynomial = 0x82f63b78;

/** Table `t`, byte `b` at `t * 256 + b`. */
const table = new Int32Array(8 * 256);

function at(index: number): number {
  return table[index] ?? 0;
}

for (let byte = 0; byte < 256; byte += 1) {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = (value >>> 1) ^ (value & 1 ? polynomial : 0);
  table[byte] = value;
}
for (let index = 256; index < 8 * 256; index += 1) {
  const before = at(index - 256);
  table[index] = (before >>> 8) ^ at(before & 0xff);
}

/** Goes on from `before`, the CRC of the bytes so far (0 at first). */
export function crc32c(bytes: Uint8Array, before = 0): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let crc = ~before;
  let offset = 0;
  for (; offset + 8 <= bytes.length; offset += 8) {
    const low = crc ^ view.getInt32(offset, true);
    const high = view.getInt32(offset + 4, true);
    crc =
      at(1792 + (low & 0xff)) ^
      at(1536 + ((low >>> 8) & 0xff)) ^
      at(1280 + ((low >>> 16) & 0xff)) ^
      at(1024 + (low >>> 24)) ^
      at(768 + (high & 0xff)) ^
      at(512 + ((high >>> 8) & 0xff)) ^
      at(256 + ((high >>> 16) & 0xff)) ^
      at(high >>> 24);
  }
  for (; offset < bytes.length; offset += 1) {
    crc = (crc >>> 8) ^ at((crc ^ view.getUint8(offset)) & 0xff);
  }
  return ~crc >>> 0;
}
