export { createMemoryBackend, type MemoryBackendOptions } from "./lib/memory.ts";
