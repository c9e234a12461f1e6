/** The types of columns in PostgreSQL that drizzle does not have as we keep them. */
import { bigint, customType } from "drizzle-orm/pg-core";

/** Bytes: `postgres` reads a `Buffer`, which is handed on as the plain bytes that SQLite gives. */
export const bytes = customType<{ data: Uint8Array; driverData: Uint8Array }>({
  dataType: () => "bytea",
  fromDriver: plainBytes,
});

/** A truth value kept as 0 or 1, as in SQLite, so that one literal in SQL fits both. */
export const flag = customType<{ data: boolean; driverData: number }>({
  dataType: () => "smallint",
  toDriver: Number,
  fromDriver: (value) => value === 1,
});

export const number = (name: string) => bigint(name, { mode: "number" });

/** Small buffers share a pool, and a view of it would show its neighbours through `.buffer`. */
function plainBytes(buffer: Uint8Array): Uint8Array {
  return buffer.byteLength === buffer.buffer.byteLength
    ? new Uint8Array(buffer.buffer)
    : new Uint8Array(buffer);
}
