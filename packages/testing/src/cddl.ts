import { fileURLToPath } from "node:url";
import { parse } from "cddl";

/** Why a value does not follow a rule, or nothing where it does. */
export type CddlJudge = (rule: string, value: unknown) => string | undefined;

/**
 * Reads a CDDL file (RFC 8610) and judges decoded values by it: maps are objects with no other
 * keys than those named, byte strings are `Uint8Array`.
 *
 * A third-party parser reads the file, which shows that it is CDDL at all. Of the language only
 * what Store's formats use is understood; anything else throws, so that nothing is passed over.
 */
export function readCddl(file: URL): CddlJudge {
  const rules = new Map<string, Node>();
  for (const assignment of parse(fileURLToPath(file)) as unknown as readonly Node[]) {
    if (assignment.Name !== undefined) rules.set(assignment.Name, assignment);
  }
  return (rule, value) => judgeName(rule, value, { rules, where: rule });
}

/** What the parser gives, as far as it is read here. Its own types say less than it gives. */
interface Node {
  readonly Type: string | Node | readonly Node[];
  readonly Name?: string;
  readonly Value?: string | number | boolean | Node;
  readonly Properties?: readonly Node[];
  readonly Values?: readonly Node[];
  readonly PropertyType?: readonly Node[];
  readonly Operator?: { readonly Type: string; readonly Value: Node };
  readonly Occurrence?: { readonly n: number; readonly m: number | null };
  readonly Min?: Node;
  readonly Max?: Node;
}

interface Place {
  readonly rules: ReadonlyMap<string, Node>;
  /** Where in the value we are, for the answer. */
  readonly where: string;
}

function judgeName(name: string, value: unknown, place: Place): string | undefined {
  const rule = place.rules.get(name);
  if (!rule) return judgeBuiltIn(name, value, place);
  if (rule.Type === "group") return judgeMap(rule.Properties ?? [], value, place);
  if (rule.Type === "variable") return judgeType(single(rule.PropertyType, name), value, place);
  throw new Error(`The CDDL rule ${name} is of a kind that is not understood.`);
}

function judgeBuiltIn(name: string, value: unknown, { where }: Place): string | undefined {
  switch (name) {
    case "tstr":
      return typeof value === "string" ? undefined : `${where} is no text`;
    case "bstr":
      return value instanceof Uint8Array ? undefined : `${where} is no byte string`;
    default:
      throw new Error(`The CDDL type ${name} is not understood.`);
  }
}

function judgeMap(members: readonly Node[], value: unknown, place: Place): string | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return `${place.where} is no map`;
  }
  const fields = new Map<string, unknown>(Object.entries(value));
  for (const member of members) {
    const name = member.Name ?? "";
    const where = `${place.where}.${name}`;
    if (!fields.has(name)) {
      if (member.Occurrence?.n === 0) continue;
      return `${where} is missing`;
    }
    const fault = judgeType(single(member.Type, where), fields.get(name), { ...place, where });
    if (fault !== undefined) return fault;
    fields.delete(name);
  }
  const [unknown] = fields.keys();
  return unknown === undefined ? undefined : `${place.where} has the unknown field ${unknown}`;
}

function judgeType(type: Node, value: unknown, place: Place): string | undefined {
  const fault = judgePlainType(type, value, place);
  if (fault !== undefined || !type.Operator) return fault;
  return judgeOperator(type.Operator.Type, type.Operator.Value, value, place);
}

function judgePlainType(type: Node, value: unknown, place: Place): string | undefined {
  const { where } = place;
  switch (type.Type) {
    case "group":
      if (typeof type.Value === "string") return judgeName(type.Value, value, place);
      throw new Error(`A type at ${where} is not understood.`);
    case "literal":
      return value === type.Value ? undefined : `${where} is not ${JSON.stringify(type.Value)}`;
    case "range":
      return isWithin(type, value) ? undefined : `${where} is out of range`;
    case "array":
      return judgeArray(single(type.Values, where), value, place);
    default:
      if (typeof type.Type === "string") return judgeBuiltIn(type.Type, value, place);
      throw new Error(`A type at ${where} is not understood.`);
  }
}

function judgeArray(entry: Node, value: unknown, place: Place): string | undefined {
  const { where } = place;
  if (!Array.isArray(value)) return `${where} is no array`;
  const { n: least, m: most } = entry.Occurrence ?? { n: 1, m: 1 };
  if (value.length < least || value.length > (most ?? Number.POSITIVE_INFINITY)) {
    return `${where} has ${value.length} entries`;
  }
  const type = single(entry.Type, where);
  for (const [index, item] of value.entries()) {
    const fault = judgeType(type, item, { ...place, where: `${where}[${index}]` });
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function judgeOperator(
  operator: string,
  operand: Node,
  value: unknown,
  { where }: Place,
): string | undefined {
  const { Value: literal } = operand;
  if (operator === "regexp" && typeof value === "string" && typeof literal === "string") {
    // RFC 8610 §3.8.3: the whole text must match.
    const matches = new RegExp(`^(?:${literal})$`, "u").test(value);
    return matches ? undefined : `${where} does not match ${literal}`;
  }
  if (operator === "size" && (typeof value === "string" || value instanceof Uint8Array)) {
    const size = Buffer.byteLength(value);
    const fits = operand.Type === "range" ? isWithin(operand, size) : size === literal;
    return fits ? undefined : `${where} has ${size} bytes`;
  }
  throw new Error(`The CDDL operator .${operator} at ${where} is not understood.`);
}

function isWithin(range: Node, value: unknown): boolean {
  const bounds = range.Value;
  if (typeof bounds !== "object") throw new Error("A CDDL range has no bounds.");
  const { Min: least, Max: most } = bounds;
  if (typeof least?.Value !== "number" || typeof most?.Value !== "number") {
    throw new Error("Only CDDL ranges of numbers are understood.");
  }
  return (
    typeof value === "number" &&
    Number.isInteger(value) &&
    value >= least.Value &&
    value <= most.Value
  );
}

function single(choices: Node["Type"] | readonly Node[] | undefined, where: string): Node {
  if (Array.isArray(choices) && choices.length === 1) {
    const [only]: readonly Node[] = choices;
    if (only) return only;
  }
  throw new Error(`At ${where} there is not exactly one CDDL type.`);
}
