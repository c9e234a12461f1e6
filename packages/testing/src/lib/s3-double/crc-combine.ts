/** A reflected CRC whose register begins and ends inverted. */
export interface CrcShape {
  readonly bits: bigint;
  /** Reflected: bit 0 is the highest power. */
  readonly polynomial: bigint;
}

/**
 * The CRC of two pieces of data one after the other, from the CRC of each and the length of the
 * second: the first is multiplied by x to the number of bits that follow, modulo the polynomial.
 */
export function combineCrc(
  shape: CrcShape,
  first: bigint,
  second: bigint,
  secondBytes: number,
): bigint {
  return multiply(shape, powerOfX(shape, BigInt(secondBytes) * 8n), first) ^ second;
}

/** Parts are as long as each other, so the last power is nearly always the one that is wanted. */
const lastPower = new WeakMap<CrcShape, { exponent: bigint; power: bigint }>();

function powerOfX(shape: CrcShape, exponent: bigint): bigint {
  const last = lastPower.get(shape);
  if (last?.exponent === exponent) return last.power;
  const one = 1n << (shape.bits - 1n);
  let power = one;
  let square = one >> 1n;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) power = multiply(shape, power, square);
    square = multiply(shape, square, square);
  }
  lastPower.set(shape, { exponent, power });
  return power;
}

function multiply(shape: CrcShape, left: bigint, right: bigint): bigint {
  let product = 0n;
  let factor = right;
  for (let bit = 1n << (shape.bits - 1n); bit > 0n; bit >>= 1n) {
    if (left & bit) product ^= factor;
    factor = factor & 1n ? (factor >> 1n) ^ shape.polynomial : factor >> 1n;
  }
  return product;
}
