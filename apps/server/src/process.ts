export { listenForInterruption, type Interruption } from "./lib/interruption.ts";
export { makeFolders } from "./lib/make-folders.ts";
