export { mirrorBackends } from "./lib/mirror.ts";
