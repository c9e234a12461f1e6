import { accountHandlers } from "./handlers/accounts.ts";
import { authHandlers } from "./handlers/auth.ts";
import { copyHandlers } from "./handlers/copies.ts";
import { eventHandlers } from "./handlers/events.ts";
import { fileHandlers } from "./handlers/files.ts";
import { instanceHandlers } from "./handlers/instance.ts";
import { manifestAndArchiveHandlers } from "./handlers/manifest-and-archives.ts";
import { nameHandlers, schemaHandlers } from "./handlers/names.ts";
import { packageHandlers, retentionHandlers } from "./handlers/packages.ts";
import { systemHandlers } from "./handlers/system.ts";
import { uploadHandlers } from "./handlers/uploads.ts";
import type { Handlers, Service } from "./http/handler.ts";
import { EventFollowers } from "./operation/event-followers.ts";
import type { EventLimits } from "./settings.ts";

export interface HandlerOptions {
  readonly events: EventLimits;
  /** The largest object that is taken, in bytes. */
  readonly objectBytes: number;
  /** The smallest read, in bytes, that is redirected to where the bytes are; never unless given. */
  readonly redirectReadBytes?: number | undefined;
}

/** A handler for every operation of the API; one that is missing does not compile. */
export function createHandlers(
  service: Service,
  { events, objectBytes, redirectReadBytes }: HandlerOptions,
): Handlers {
  return {
    ...systemHandlers(service),
    ...authHandlers(service.access),
    ...accountHandlers(service.access),
    ...instanceHandlers(),
    ...packageHandlers(),
    ...retentionHandlers(),
    ...manifestAndArchiveHandlers(),
    ...fileHandlers({ metrics: service.metrics, redirectReadBytes }),
    ...copyHandlers(),
    ...nameHandlers(),
    ...schemaHandlers(),
    ...eventHandlers(service.access, events, service.followers ?? new EventFollowers()),
    ...uploadHandlers({ objectBytes }),
  };
}
