import type { Report } from "./report.ts";

/** What a program is given. */
export interface ProgramContext {
  readonly report: Report;
  /** An empty folder of its own, on the checkout's disk. Nothing in it needs to be removed. */
  readonly scratch: string;
  /** Whether to run in seconds instead of minutes. */
  readonly quick: boolean;
}

/** What each file in `programs/` exports. */
export interface Program {
  /** What is measured, in a line. */
  readonly title: string;
  readonly run: (context: ProgramContext) => Promise<void>;
}

/** Whether an imported module is a program. */
export function isProgram(module: unknown): module is Program {
  return (
    typeof module === "object" &&
    module !== null &&
    "title" in module &&
    typeof module.title === "string" &&
    "run" in module &&
    typeof module.run === "function"
  );
}
