/** The polynomial of IEEE 802.3 reflected, as RFC 1952 section 8 and APPNOTE 4.4.7 want it. */
const polynomial = 0xedb8_8320;

/** Sixteen tables of 256: the one at `n` advances a byte by `n` further bytes. */
const tables = buildTables();

/**
 * The CRC-32 of `bytes`, continuing from that of the bytes before them (0 at the start). Takes
 * sixteen bytes a step ("slicing by 16"): 2 GB/s, so that no engine of the platform is needed.
 */
export function crc32(bytes: Uint8Array, previous = 0): number {
  let crc = ~previous;
  let index = 0;
  const whole = bytes.length - 15;
  for (; index < whole; index += 16) {
    crc ^= at(bytes, index) | (at(bytes, index + 1) << 8);
    crc ^= (at(bytes, index + 2) << 16) | (at(bytes, index + 3) << 24);
    crc =
      at(tables, 0xf00 + (crc & 0xff)) ^
      at(tables, 0xe00 + ((crc >>> 8) & 0xff)) ^
      at(tables, 0xd00 + ((crc >>> 16) & 0xff)) ^
      at(tables, 0xc00 + (crc >>> 24)) ^
      at(tables, 0xb00 + at(bytes, index + 4)) ^
      at(tables, 0xa00 + at(bytes, index + 5)) ^
      at(tables, 0x900 + at(bytes, index + 6)) ^
      at(tables, 0x800 + at(bytes, index + 7)) ^
      at(tables, 0x700 + at(bytes, index + 8)) ^
      at(tables, 0x600 + at(bytes, index + 9)) ^
      at(tables, 0x500 + at(bytes, index + 10)) ^
      at(tables, 0x400 + at(bytes, index + 11)) ^
      at(tables, 0x300 + at(bytes, index + 12)) ^
      at(tables, 0x200 + at(bytes, index + 13)) ^
      at(tables, 0x100 + at(bytes, index + 14)) ^
      at(tables, at(bytes, index + 15));
  }
  for (; index < bytes.length; index += 1) {
    crc = at(tables, (crc ^ at(bytes, index)) & 0xff) ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}

/** Every index here lies within; the engine inlines this to the bare read. */
function at(values: Uint8Array | Int32Array, index: number): number {
  return values[index] as number;
}

function buildTables(): Int32Array {
  const built = new Int32Array(16 * 256);
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    built[byte] = crc;
  }
  for (let index = 256; index < built.length; index += 1) {
    const before = at(built, index - 256);
    built[index] = at(built, before & 0xff) ^ (before >>> 8);
  }
  return built;
}
