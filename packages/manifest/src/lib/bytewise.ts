/**
 * Orders two texts as their UTF-8 bytes are ordered, which is the order of code points and not
 * that of JavaScript: a surrogate pair comes after U+FFFF. Both must be well-formed.
 */
export function compareBytewise(left: string, right: string): number {
  const shared = Math.min(left.length, right.length);
  for (let index = 0; index < shared; index += 1) {
    const leftUnit = left.charCodeAt(index);
    const rightUnit = right.charCodeAt(index);
    if (leftUnit !== rightUnit) return rank(leftUnit) - rank(rightUnit);
  }
  return left.length - right.length;
}

/** Lifts surrogates above all other code units. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x1_0000 : unit;
}
