import type { Log } from "../log.ts";
import type { LogSettings } from "../settings.ts";
import { createTextLog } from "./text-log.ts";

/** The log that the settings ask for; `print` takes a line for people. */
export async function createLog(
  { form, level }: LogSettings,
  print: (line: string) => void,
): Promise<Log> {
  if (form === "text") return createTextLog(level, print);
  const { createJsonLog } = await import("./json-log.ts");
  return createJsonLog(level);
}
