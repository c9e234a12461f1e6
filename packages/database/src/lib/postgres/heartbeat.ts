/** Asking a quiet connection whether its other end is still there. */
import type { PostgresSessionConnection } from "./connection.ts";

/** Asks every so often until the session is lost, which its own time limit finds out. */
export function startHeartbeat(session: PostgresSessionConnection, everyMs: number): void {
  const timer = setInterval(() => {
    if (session.isLost) clearInterval(timer);
    else session.batch("SELECT 1").catch(() => clearInterval(timer));
  }, everyMs);
  timer.unref();
}
