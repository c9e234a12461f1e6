import * as v from "valibot";

const schema = v.object({
  /** Up to where all objects were looked at; null once they were. */
  walked: v.nullable(v.string()),
  /** Objects that could not be copied, to be tried again. */
  failed: v.array(v.string()),
  /** Whether there were more of them than are remembered. */
  hasMoreFailed: v.boolean(),
  /** Whether the mirror, or what it is filled from, fails as a whole. */
  isDown: v.boolean(),
  /** How often it was waited in a row. */
  pauses: v.number(),
  /** When to try again what failed. */
  retryAt: v.nullable(v.string()),
});

/** What is remembered of bringing a mirror up to date, beside how far the log was followed. */
export type MirrorState = Readonly<v.InferOutput<typeof schema>>;

/** What was recorded; a mirror that is new, or whose record is not understood, begins anew. */
export function mirrorState(recorded: unknown): MirrorState {
  const parsed = v.safeParse(schema, recorded);
  if (parsed.success) return parsed.output;
  const nothingFailed = { failed: [], hasMoreFailed: false, isDown: false };
  return { walked: "", ...nothingFailed, pauses: 0, retryAt: null };
}
