import type { StoredObject } from "./bucket.ts";
import { bucketOf, receiveText, type S3Answer, type S3Call } from "./call.ts";
import { S3Error } from "./errors.ts";
import { archiveClasses } from "./object-headers.ts";
import { child, childText, parseXml } from "./xml.ts";

const dayMs = 24 * 3_600_000;

/** Whether an archived object can be read at this time. */
export function restoreState(object: StoredObject, now: number): "none" | "ongoing" | "restored" {
  if (object.restore === undefined) return "none";
  if (object.restore.until === undefined) return "ongoing";
  return object.restore.until > now ? "restored" : "none";
}

/** The value of `x-amz-restore`, where a restore was asked for and has not run out. */
export function restoreHeader(object: StoredObject, now: number): string | undefined {
  switch (restoreState(object, now)) {
    case "ongoing":
      return 'ongoing-request="true"';
    case "restored": {
      const until = new Date(object.restore?.until ?? 0).toUTCString();
      return `ongoing-request="false", expiry-date="${until}"`;
    }
    case "none":
      return undefined;
  }
}

/** Until when a copy stays that is finished now: the midnight (UTC) after the days have passed. */
export function restoredUntil(now: number, days: number): number {
  return Math.ceil((now + days * dayMs) / dayMs) * dayMs;
}

/** RestoreObject. The restore goes on until a test finishes it. */
export async function restoreObject(call: S3Call): Promise<S3Answer> {
  const { request, service } = call;
  const days = readDays(await receiveText(call));
  const bucket = bucketOf(call);
  const object = bucket.get(request.key);
  if (object === undefined) throw new S3Error("NoSuchKey", { Key: request.key });
  if (!archiveClasses.has(object.storageClass)) {
    throw new S3Error(
      "InvalidObjectState",
      { StorageClass: object.storageClass },
      "Restore is not allowed for the object's current storage class",
    );
  }
  if (days.tier === "Expedited" && object.storageClass === "DEEP_ARCHIVE") {
    throw new S3Error(
      "InvalidRequest",
      {},
      "Retrieval option is not supported by this storage class",
    );
  }
  switch (restoreState(object, service.now())) {
    case "ongoing":
      throw new S3Error("RestoreAlreadyInProgress");
    case "restored": {
      const until = restoredUntil(service.now(), days.days);
      bucket.change({ ...object, restore: { days: days.days, until } });
      return { status: 200 };
    }
    case "none":
      bucket.change({ ...object, restore: { days: days.days } });
      return { status: 202 };
  }
}

function readDays(document: string): { readonly days: number; readonly tier: string } {
  const root = parseXml(document);
  if (root?.name !== "RestoreRequest") throw new S3Error("MalformedXML");
  const days = childText(root, "Days") ?? "";
  if (!/^[1-9]\d{0,6}$/u.test(days)) throw new S3Error("MalformedXML");
  const parameters = child(root, "GlacierJobParameters");
  const tier = parameters === undefined ? "Standard" : (childText(parameters, "Tier") ?? "");
  if (!["Expedited", "Standard", "Bulk"].includes(tier)) throw new S3Error("MalformedXML");
  return { days: Number(days), tier };
}
