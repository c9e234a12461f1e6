export { startBackgroundWork, type BackgroundInstance } from "./lib/background/background-work.ts";
export { createApp, type AppOptions } from "./lib/app.ts";
export { httpStatusOf } from "./lib/error-status.ts";
export type { Log, LogFields } from "./lib/log.ts";
export { createLog } from "./lib/operation/create-log.ts";
export { serve, type ServeOptions } from "./lib/serve.ts";
export { startServer, type RunningServer, type ServerOptions } from "./lib/server.ts";
