/**
 * The records of a zip archive. Source: PKWARE's .ZIP File Format Specification (APPNOTE.TXT)
 * 6.3.10; its sections are named below. All numbers are little-endian.
 */

/** Where a field of 32 bits refers to the zip64 extension, and so the first value it cannot hold. */
const limit32 = 0xffff_ffff;
const limit16 = 0xffff;

/**
 * From this size an entry has 64-bit sizes: 4 GiB, less what the content could grow by. Stored
 * blocks add 5 bytes in 65,535 and a flush 5 more; this leaves a thousandth.
 */
const zip64FromBytes = limit32 - 4 * 1024 * 1024;

/** Whether an entry's own sizes are of 64 bits; all of its records have to agree. */
function hasLongSizes(sizeBytes: number): boolean {
  return sizeBytes >= zip64FromBytes;
}

/** What is known of an entry once its content was written. */
export interface ZipEntryFacts {
  readonly name: Uint8Array;
  readonly mode: number;
  readonly crc: number;
  readonly compressedBytes: number;
  readonly sizeBytes: number;
  /** Where its local header begins. */
  readonly offset: number;
}

/** Bit 3: sizes and CRC follow the content. Bit 11: names are UTF-8. 4.4.4 */
const flags = (1 << 3) | (1 << 11);
const methodDeflate = 8;
/** 1980-02-01 00:00:00, without a time zone, as DOS has it. 4.4.6 */
const modifiedTime = 0;
const modifiedDate = (2 << 5) | 1;
/** Unix (which is what makes the permission bits mean something), specification 4.5. 4.4.2 */
const madeBy = (3 << 8) | 45;
const neededPlain = 20;
const neededZip64 = 45;
const zip64Tag = 0x0001;
const regularFile = 0o100000;

/** 4.3.7. The fields that the data descriptor has are zero, or point at a zip64 field of zeros. */
export function localHeader(name: Uint8Array, sizeBytes: number): Uint8Array {
  const isLong = hasLongSizes(sizeBytes);
  const record = new RecordWriter(30 + name.length + (isLong ? 20 : 0));
  record.uint32(0x0403_4b50);
  record.uint16(isLong ? neededZip64 : neededPlain);
  record.uint16(flags);
  record.uint16(methodDeflate);
  record.uint16(modifiedTime);
  record.uint16(modifiedDate);
  record.uint32(0);
  record.uint32(isLong ? limit32 : 0);
  record.uint32(isLong ? limit32 : 0);
  record.uint16(name.length);
  record.uint16(isLong ? 20 : 0);
  record.bytes(name);
  if (isLong) {
    record.uint16(zip64Tag);
    record.uint16(16);
    record.uint64(0);
    record.uint64(0);
  }
  return record.finish();
}

/** 4.3.9, with the signature that some readers insist on. */
export function dataDescriptor(facts: ZipEntryFacts): Uint8Array {
  const isLong = hasLongSizes(facts.sizeBytes);
  const record = new RecordWriter(isLong ? 24 : 16);
  record.uint32(0x0807_4b50);
  record.uint32(facts.crc);
  if (isLong) {
    record.uint64(facts.compressedBytes);
    record.uint64(facts.sizeBytes);
  } else {
    record.uint32(facts.compressedBytes);
    record.uint32(facts.sizeBytes);
  }
  return record.finish();
}

/** 4.3.12, and the zip64 field of 4.5.3 with just what the fields before it could not hold. */
export function centralHeader(facts: ZipEntryFacts): Uint8Array {
  const isLong = hasLongSizes(facts.sizeBytes);
  const isFar = facts.offset >= limit32;
  const zip64Bytes = (isLong ? 16 : 0) + (isFar ? 8 : 0);
  const extraBytes = zip64Bytes === 0 ? 0 : 4 + zip64Bytes;
  const record = new RecordWriter(46 + facts.name.length + extraBytes);
  record.uint32(0x0201_4b50);
  record.uint16(madeBy);
  record.uint16(zip64Bytes === 0 ? neededPlain : neededZip64);
  record.uint16(flags);
  record.uint16(methodDeflate);
  record.uint16(modifiedTime);
  record.uint16(modifiedDate);
  record.uint32(facts.crc);
  record.uint32(isLong ? limit32 : facts.compressedBytes);
  record.uint32(isLong ? limit32 : facts.sizeBytes);
  record.uint16(facts.name.length);
  record.uint16(extraBytes);
  record.uint16(0); // no comment
  record.uint16(0); // the first disk
  record.uint16(0); // no internal attributes
  record.uint32((regularFile | facts.mode) * 2 ** 16);
  record.uint32(isFar ? limit32 : facts.offset);
  record.bytes(facts.name);
  if (zip64Bytes > 0) {
    record.uint16(zip64Tag);
    record.uint16(zip64Bytes);
    if (isLong) record.uint64(facts.sizeBytes);
    if (isLong) record.uint64(facts.compressedBytes);
    if (isFar) record.uint64(facts.offset);
  }
  return record.finish();
}

/** Where the central directory stands. */
export interface ZipDirectory {
  readonly entries: number;
  readonly sizeBytes: number;
  readonly offset: number;
}

/** 4.3.16, with 4.3.14 and 4.3.15 before it where a number does not fit. */
export function endOfCentralDirectory(directory: ZipDirectory): Uint8Array {
  const { entries, sizeBytes, offset } = directory;
  const isZip64 = entries >= limit16 || sizeBytes >= limit32 || offset >= limit32;
  const record = new RecordWriter(22 + (isZip64 ? 56 + 20 : 0));
  if (isZip64) {
    record.uint32(0x0606_4b50);
    record.uint64(56 - 12); // what follows
    record.uint16(madeBy);
    record.uint16(neededZip64);
    record.uint32(0);
    record.uint32(0);
    record.uint64(entries);
    record.uint64(entries);
    record.uint64(sizeBytes);
    record.uint64(offset);
    record.uint32(0x0706_4b50);
    record.uint32(0);
    record.uint64(offset + sizeBytes);
    record.uint32(1);
  }
  record.uint32(0x0605_4b50);
  record.uint16(0);
  record.uint16(0);
  record.uint16(Math.min(entries, limit16));
  record.uint16(Math.min(entries, limit16));
  record.uint32(Math.min(sizeBytes, limit32));
  record.uint32(Math.min(offset, limit32));
  record.uint16(0); // no comment
  return record.finish();
}

/** Writes fields one after the other into a record of known size. */
class RecordWriter {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #position = 0;

  constructor(sizeBytes: number) {
    this.#bytes = new Uint8Array(sizeBytes);
    this.#view = new DataView(this.#bytes.buffer);
  }

  uint16(value: number): void {
    this.#view.setUint16(this.#position, value, true);
    this.#position += 2;
  }

  uint32(value: number): void {
    this.#view.setUint32(this.#position, value, true);
    this.#position += 4;
  }

  uint64(value: number): void {
    this.#view.setBigUint64(this.#position, BigInt(value), true);
    this.#position += 8;
  }

  bytes(value: Uint8Array): void {
    this.#bytes.set(value, this.#position);
    this.#position += value.length;
  }

  finish(): Uint8Array {
    return this.#bytes;
  }
}
