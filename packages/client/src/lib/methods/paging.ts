/** Which page of a list. */
export interface PageOptions {
  readonly cursor?: string;
  /** 1–1,000; 100 unless given. */
  readonly limit?: number;
}

/** The page as a query says it. */
export function pageQuery({ cursor, limit }: PageOptions): {
  cursor: string | undefined;
  limit: string | undefined;
} {
  return { cursor, limit: limit === undefined ? undefined : String(limit) };
}

/** A flag as a query says it. */
export function flag(value: boolean | undefined): "true" | "false" | undefined {
  return value === undefined ? undefined : value ? "true" : "false";
}
