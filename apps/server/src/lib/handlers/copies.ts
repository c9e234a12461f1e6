import {
  encodeBackend,
  encodeObjectLocations,
  linesMediaType,
  present,
  type ObjectWorkProgress,
} from "@store/api";
import { parseContentAddress } from "@store/identity";

import type { BytesReply, Exchange, Handlers } from "../http/handler.ts";
import { mutationOptions } from "../http/mutation-options.ts";
import { progressLines } from "../http/progress-lines.ts";
import { WorkPlaces } from "../operation/work-places.ts";

type CopyRouteNames =
  | "listBackends"
  | "locateObject"
  | "restoreObject"
  | "replicateObjects"
  | "verifyObjects"
  | "evacuateObjects";

const worksAtOnce = 4;
/** Proxies give up after a minute or so of silence. */
const quietMs = 5_000;

/** Where objects are, and what is done with their copies. */
export function copyHandlers(): Handlers<CopyRouteNames> {
  const places = new WorkPlaces(worksAtOnce);

  /** The work ends with the connection, and as soon as the server begins to close. */
  const answerWork = (
    exchange: Pick<Exchange, "context" | "signal" | "closing" | "problemOf">,
    begin: (signal: AbortSignal) => AsyncIterable<ObjectWorkProgress>,
  ): BytesReply => {
    places.take(exchange.context.env.outgoing);
    const signal = AbortSignal.any([exchange.signal, exchange.closing]);
    return {
      status: 200,
      headers: {
        "content-type": linesMediaType,
        "cache-control": "no-store",
        // A proxy that buffers would hold lines back.
        "x-accel-buffering": "no",
      },
      bytes: progressLines(begin(signal), { quietMs, signal, problemOf: exchange.problemOf }),
    };
  };

  return {
    listBackends: async ({ registry }) => {
      const backends = await registry.listBackends();
      return { status: 200, json: { items: backends.map(encodeBackend) } };
    },

    locateObject: async ({ registry, params }) => {
      const locations = await registry.locateObject(parseContentAddress(params.address));
      return { status: 200, json: encodeObjectLocations(locations) };
    },

    restoreObject: async (exchange) => {
      const { registry, params, body } = exchange;
      const address = parseContentAddress(params.address);
      const options = mutationOptions(exchange);
      const locations = await registry.restoreObject(address, present(body), options);
      return { status: 200, json: encodeObjectLocations(locations) };
    },

    replicateObjects: async (exchange) =>
      answerWork(exchange, (signal) =>
        exchange.registry.replicateObjects({ ...present(exchange.body), signal }),
      ),

    verifyObjects: async (exchange) =>
      answerWork(exchange, (signal) =>
        exchange.registry.verifyObjects({ ...present(exchange.body), signal }),
      ),

    evacuateObjects: async (exchange) =>
      answerWork(exchange, (signal) =>
        exchange.registry.evacuateObjects({ ...present(exchange.body), signal }),
      ),
  };
}
