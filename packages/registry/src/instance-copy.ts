export { copyInstance } from "./lib/instance-copy/copy-instance.ts";
export type * from "./lib/instance-copy/types.ts";
