import type { Sql, Tables } from "@store/database";

import type { Decide } from "./commands.ts";
import type { NewEvent } from "./event-types.ts";
import { retentionClassesAtBirth } from "./limits.ts";
import { instanceSubject, retentionClassSubject } from "./subjects.ts";

/** Whether the instance has recorded what belongs to it from its birth. */
export async function isBorn(sql: Sql, { retentionClasses }: Tables): Promise<boolean> {
  const rows = await sql.select().from(retentionClasses).limit(1);
  return rows.length > 0;
}

/** Records the instance's birth, once, whoever comes first. */
export function recordBirth(): Decide<null> {
  return async ({ sql, tables }) => ({
    events: (await isBorn(sql, tables)) ? [] : birthEvents(),
    answer: () => null,
  });
}

function birthEvents(): NewEvent[] {
  return [
    { type: "v1.instance.created", subject: instanceSubject, payload: { format: 1 } },
    ...retentionClassesAtBirth.map(
      ({ name, durationDays }): NewEvent => ({
        type: "v1.retention.class_defined",
        subject: retentionClassSubject(name),
        payload: { name, duration_days: durationDays },
      }),
    ),
  ];
}
