import type { Engine } from "./engine.ts";
import { wasmEngine } from "./wasm.ts";

/** The engines of a browser and of every other place that is not Node.js. */
export const engines: readonly Engine[] = [wasmEngine];
