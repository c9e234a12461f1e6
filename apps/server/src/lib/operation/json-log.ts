import { isStoreError } from "@store/identity";
import { pino, type DestinationStream } from "pino";

import type { Log } from "../log.ts";
import type { LogLevel } from "../settings.ts";

/**
 * A log of JSON lines, for machines: `time` (RFC 3339), `level`, `pid`, `message`, the fields of
 * the request, and `error` with its code, message, stack and causes.
 */
export function createJsonLog(level: LogLevel, destination?: DestinationStream): Log {
  const logger = pino(
    {
      level,
      base: { pid: process.pid },
      messageKey: "message",
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    // Written at once: what was said before a crash is known.
    destination ?? pino.destination({ fd: 2, sync: true }),
  );
  return {
    info: (message, fields = {}) => logger.info(fields, message),
    error: (message, error, fields = {}) => {
      logger.error(
        error === undefined ? fields : { ...fields, error: errorFields(error) },
        message,
      );
    },
  };
}

/** How deep a chain of causes is told. */
const causes = 5;

function errorFields(error: unknown, depth = 0): object {
  if (!(error instanceof Error)) return { message: String(error) };
  const { name, message, stack, cause } = error;
  return {
    name,
    message,
    ...(isStoreError(error) ? { code: error.code, context: error.context } : {}),
    stack,
    ...(cause === undefined || depth >= causes ? {} : { cause: errorFields(cause, depth + 1) }),
  };
}
