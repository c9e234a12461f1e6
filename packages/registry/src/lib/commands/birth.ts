import type { EventLog } from "@store/events";

import { record } from "./run.ts";
import type { NewEvent } from "../events/types.ts";
import { retentionClassesAtBirth } from "../limits.ts";
import { instanceSubject, retentionClassSubject } from "../events/subjects.ts";

/** Records what belongs to an instance from its birth, once, whoever comes first. */
export async function recordBirth(log: EventLog, actor: string): Promise<void> {
  await log.initialize(actor, async (tx) => {
    await record(tx, birthEvents());
  });
}

function birthEvents(): NewEvent[] {
  return [
    { type: "v1.instance.created", subject: instanceSubject, payload: { format: 1 } },
    ...retentionClassesAtBirth.map(({ name, durationDays }): NewEvent => ({
      type: "v1.retention.class_defined",
      subject: retentionClassSubject(name),
      payload: { name, duration_days: durationDays },
    })),
  ];
}
