import { adminRoutes } from "./routes/admin.ts";
import { authRoutes } from "./routes/auth.ts";
import { copyRoutes } from "./routes/copies.ts";
import { eventRoutes } from "./routes/events.ts";
import { fileRoutes } from "./routes/files.ts";
import { nameRoutes } from "./routes/names.ts";
import { packageRoutes } from "./routes/packages.ts";
import { systemRoutes } from "./routes/system.ts";
import { uploadRoutes } from "./routes/uploads.ts";

/**
 * Every operation of the HTTP API, by its name. The server has a handler for each, the client
 * calls them by name, and the OpenAPI document is made of them: what one of them says is true of
 * all three, or does not compile.
 */
export const routes = {
  ...systemRoutes,
  ...authRoutes,
  ...adminRoutes,
  ...packageRoutes,
  ...fileRoutes,
  ...copyRoutes,
  ...nameRoutes,
  ...eventRoutes,
  ...uploadRoutes,
} as const;

export type Routes = typeof routes;

/** The name of an operation. */
export type RouteName = keyof Routes;
