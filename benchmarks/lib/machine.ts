import { availableParallelism, cpus, totalmem } from "node:os";

/** What the figures depend on first of all. */
export interface Machine {
  readonly cores: number;
  readonly processor: string;
  readonly memoryBytes: number;
  readonly platform: string;
  readonly node: string;
  readonly threadPoolSize: number;
}

export function machine(): Machine {
  return {
    cores: availableParallelism(),
    processor: cpus()[0]?.model.trim() ?? "unknown",
    memoryBytes: totalmem(),
    platform: `${process.platform}-${process.arch}`,
    node: process.versions.node,
    threadPoolSize: Number(process.env["UV_THREADPOOL_SIZE"] ?? 4),
  };
}
