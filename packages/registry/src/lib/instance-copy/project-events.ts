import type { ViewWriter } from "../projections/view-writer.ts";
import { project } from "../projections/project.ts";
import type { EventType, RecordedEvent } from "../events/types.ts";

/**
 * Events whose projecting reads nothing and sends all its statements before it waits. A connection
 * keeps their order, so the next event need not wait for the answers: without that, each would cost a
 * round trip. All others are projected alone.
 */
const sentAtOnce: ReadonlySet<EventType> = new Set<EventType>([
  "v1.package.created",
  "v1.file.added",
  "v1.file.removed",
  "v1.package.finalized",
  "v1.package.yanked",
  "v1.package.unyanked",
  "v1.object.copied",
  "v1.object.damaged",
  "v1.object.mended",
  "v1.object.removed",
]);

/** Events under way; each has some statements. */
const underWayLimit = 32;

/** Projects events in their order into the views. */
export async function projectEvents(
  views: ViewWriter,
  events: readonly RecordedEvent[],
): Promise<void> {
  let underWay: Promise<void>[] = [];
  const settle = async (): Promise<void> => {
    const sent = underWay;
    underWay = [];
    await Promise.all(sent);
  };
  for (const event of events) {
    if (sentAtOnce.has(event.type)) {
      underWay.push(project(views, event));
      if (underWay.length >= underWayLimit) await settle();
    } else {
      await settle();
      await project(views, event);
    }
  }
  await settle();
}
