/** The types of columns in SQLite that drizzle does not have as we keep them. */
import { customType, integer } from "drizzle-orm/sqlite-core";

/** Bytes: `node:sqlite` reads and binds plain `Uint8Array`. */
export const bytes = customType<{ data: Uint8Array; driverData: Uint8Array }>({
  dataType: () => "blob",
});

/** A truth value kept as 0 or 1, as in PostgreSQL, so that one literal in SQL fits both. */
export const flag = customType<{ data: boolean; driverData: number }>({
  dataType: () => "integer",
  toDriver: Number,
  fromDriver: (value) => value === 1,
});

export const number = (name: string) => integer(name);
