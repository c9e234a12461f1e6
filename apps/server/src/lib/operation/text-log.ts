import type { Log, LogFields } from "../log.ts";
import type { LogLevel } from "../settings.ts";

/** A log of lines for people, each given to `print`. */
export function createTextLog(level: LogLevel, print: (line: string) => void): Log {
  return {
    info: (message, fields = {}) => {
      if (level === "info") print(withFields(message, fields));
    },
    error: (message, error, fields = {}) => {
      const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
      print(withFields(error === undefined ? message : `${message}: ${reason}`, fields));
    },
  };
}

function withFields(message: string, fields: LogFields): string {
  const said = Object.entries(fields).filter(([, value]) => value !== undefined);
  return [message, ...said.map(([name, value]) => `${name}=${String(value)}`)].join(" ");
}
