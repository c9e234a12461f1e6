/** A query turned into text once, and the values that are filled in each time. */
import { is, type Query as BuiltQuery } from "drizzle-orm";
import { Param, Placeholder } from "drizzle-orm/sql/sql";
import { StoreError } from "@store/identity";
import type { Connection, ResultMode } from "./connection.ts";

type Encode = (value: unknown) => unknown;
/** What turns driver rows into the rows of a selection; drizzle generates it. */
export type RowMapper = (rows: unknown[]) => unknown;

/**
 * Whether drizzle may generate code for its row mappers, which makes them half as fast again. Node
 * can be told to forbid it (`--disallow-code-generation-from-strings`).
 */
export const mayGenerateMappers = ((): boolean => {
  try {
    // oxlint-disable-next-line typescript/no-implied-eval -- it only asks whether that is allowed
    return typeof new Function("return true") === "function";
  } catch {
    return false;
  }
})();

type Parameter = { readonly value: unknown } | { readonly name: string; readonly encode: Encode };

const names = new WeakMap<Placeholder, string>();

/** A value that is given at each run. */
export function parameter<Name extends string, T>(name: Name): Placeholder<Name, T> {
  const placeholder = new Placeholder<Name, T>(name);
  names.set(placeholder, name);
  return placeholder;
}

/** Text, parameters and the decoder of rows, bound to no connection. */
export class CompiledQuery {
  readonly #text: string;
  readonly #mode: ResultMode;
  readonly #mapper: RowMapper | undefined;
  readonly #constants: readonly unknown[];
  readonly #parameters: readonly Parameter[] | undefined;

  constructor(query: BuiltQuery, mapper: RowMapper | undefined) {
    this.#text = query.sql;
    this.#mapper = mapper;
    this.#mode = mapper === undefined ? "changes" : "rows";
    this.#constants = query.params;
    this.#parameters = query.params.some(isOpen) ? query.params.map(toParameter) : undefined;
  }

  /** Runs it. Rows come decoded; without a decoder the number of changes. */
  async run(connection: Connection, values?: Readonly<Record<string, unknown>>): Promise<unknown> {
    const mapper = this.#mapper;
    const result = await connection.execute(this.#text, this.#fill(values), this.#mode);
    return mapper === undefined ? result : mapper(result as unknown[]);
  }

  #fill(values: Readonly<Record<string, unknown>> = {}): readonly unknown[] {
    return this.#parameters?.map((parameter) => fill(parameter, values)) ?? this.#constants;
  }
}

function fill(parameter: Parameter, values: Readonly<Record<string, unknown>>): unknown {
  if ("value" in parameter) return parameter.value;
  const value = values[parameter.name];
  if (value === undefined) {
    throw new StoreError("internal", `A statement ran without a value for "${parameter.name}".`);
  }
  return value === null ? null : parameter.encode(value);
}

function isOpen(parameter: unknown): boolean {
  return openName(parameter) !== undefined;
}

function openName(parameter: unknown): string | undefined {
  const inner = is(parameter, Param) ? parameter.value : parameter;
  return is(inner, Placeholder) ? names.get(inner) : undefined;
}

function toParameter(parameter: unknown): Parameter {
  const name = openName(parameter);
  if (name === undefined) return { value: parameter };
  if (!is(parameter, Param)) return { name, encode: (value) => value };
  const { encoder } = parameter;
  return { name, encode: (value) => encoder.mapToDriverValue(value) };
}
