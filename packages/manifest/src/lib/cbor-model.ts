/**
 * A value that canonical CBOR can carry here: map with text keys, array, text without lone
 * surrogates and U+0000, byte string, integer within ±(2^53 − 1), boolean, null.
 */
export type CborValue =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | CborValue[]
  | { [key: string]: CborValue };

/** Why a value lies outside the model, and where: keys and indexes from the top. */
export interface ModelFault {
  readonly reason: string;
  readonly path: (string | number)[];
  /** Whether it is the depth, and nothing else, that is too much. */
  readonly tooDeep: boolean;
}

/**
 * Looks for the first thing in `value` that the model does not hold. The encoder below would
 * write most of them: as a float, as a mended text, as `undefined`.
 *
 * @param depthLeft how many containers may still be nested in one another
 */
export function findModelFault(value: unknown, depthLeft: number): ModelFault | undefined {
  switch (typeof value) {
    case "string":
      return textFault(value);
    case "number":
      return numberFault(value);
    case "boolean":
      return undefined;
    case "object":
      break;
    default:
      return fault(`${typeof value} has no place in the value model`);
  }
  if (value === null || value instanceof Uint8Array) return undefined;
  if (depthLeft === 0) return { reason: "is nested too deeply", path: [], tooDeep: true };
  return Array.isArray(value) ? arrayFault(value, depthLeft - 1) : mapFault(value, depthLeft - 1);
}

function fault(reason: string): ModelFault {
  return { reason, path: [], tooDeep: false };
}

function textFault(text: string): ModelFault | undefined {
  if (!text.isWellFormed()) return fault("text holds a lone surrogate");
  if (text.includes("\0")) return fault("text holds U+0000");
  return undefined;
}

function numberFault(number: number): ModelFault | undefined {
  if (!Number.isSafeInteger(number)) return fault(`${number} is no integer within ±(2^53 − 1)`);
  if (Object.is(number, -0)) return fault("-0 is no integer of the value model; use 0");
  return undefined;
}

function arrayFault(array: readonly unknown[], depthLeft: number): ModelFault | undefined {
  // By index: a hole must be seen as the undefined that would be encoded.
  for (let index = 0; index < array.length; index += 1) {
    const found = findModelFault(array[index], depthLeft);
    if (found) return within(index, found);
  }
  return undefined;
}

function mapFault(map: object, depthLeft: number): ModelFault | undefined {
  const prototype: unknown = Object.getPrototypeOf(map);
  if (prototype !== Object.prototype && prototype !== null) {
    return fault("an instance of a class is no map; use a plain object");
  }
  if (Object.getOwnPropertySymbols(map).length > 0) return fault("a map key is a symbol");
  for (const [key, value] of Object.entries(map)) {
    const found = textFault(key) ?? findModelFault(value, depthLeft);
    if (found) return within(key, found);
  }
  return undefined;
}

function within(key: string | number, found: ModelFault): ModelFault {
  found.path.unshift(key);
  return found;
}
