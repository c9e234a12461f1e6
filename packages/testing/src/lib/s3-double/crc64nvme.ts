/** CRC-64/NVME (NVM Express, command set specification 1.0d, §5.2.1.3.4), eight bytes a step. */
const polynomial = 0x9a6c9329ac4bc9b5n;

/** The tables' halves: table `t`, byte `b` at `t * 256 + b`. */
const lowHalves = new Int32Array(8 * 256);
const highHalves = new Int32Array(8 * 256);

function at(table: Int32Array, index: number): number {
  return table[index] ?? 0;
}

for (let byte = 0; byte < 256; byte += 1) {
  let value = BigInt(byte);
  for (let bit = 0; bit < 8; bit += 1) value = (value >> 1n) ^ (value & 1n ? polynomial : 0n);
  lowHalves[byte] = Number(value & 0xffffffffn);
  highHalves[byte] = Number(value >> 32n);
}
for (let index = 256; index < 8 * 256; index += 1) {
  const low = at(lowHalves, index - 256);
  const high = at(highHalves, index - 256);
  lowHalves[index] = ((low >>> 8) | (high << 24)) ^ at(lowHalves, low & 0xff);
  highHalves[index] = (high >>> 8) ^ at(highHalves, low & 0xff);
}

/** A CRC that is fed piece by piece. */
export class Crc64Nvme {
  #low = -1;
  #high = -1;

  update(bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let low = this.#low;
    let high = this.#high;
    let offset = 0;
    for (; offset + 8 <= bytes.length; offset += 8) {
      low ^= view.getInt32(offset, true);
      high ^= view.getInt32(offset + 4, true);
      const a = 1792 + (low & 0xff);
      const b = 1536 + ((low >>> 8) & 0xff);
      const c = 1280 + ((low >>> 16) & 0xff);
      const d = 1024 + (low >>> 24);
      const e = 768 + (high & 0xff);
      const f = 512 + ((high >>> 8) & 0xff);
      const g = 256 + ((high >>> 16) & 0xff);
      const h = high >>> 24;
      low = fold(lowHalves, a, b, c, d) ^ fold(lowHalves, e, f, g, h);
      high = fold(highHalves, a, b, c, d) ^ fold(highHalves, e, f, g, h);
    }
    for (; offset < bytes.length; offset += 1) {
      const index = (low ^ view.getUint8(offset)) & 0xff;
      low = ((low >>> 8) | (high << 24)) ^ at(lowHalves, index);
      high = (high >>> 8) ^ at(highHalves, index);
    }
    this.#low = low;
    this.#high = high;
  }

  /** Eight bytes, the most significant first. */
  digest(): Buffer {
    const digest = Buffer.alloc(8);
    digest.writeInt32BE(~this.#high, 0);
    digest.writeInt32BE(~this.#low, 4);
    return digest;
  }
}

function fold(table: Int32Array, a: number, b: number, c: number, d: number): number {
  return at(table, a) ^ at(table, b) ^ at(table, c) ^ at(table, d);
}
