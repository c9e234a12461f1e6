import { statement } from "@store/database";
import { contentAddress, StoreError } from "@store/identity";
import { and, eq } from "drizzle-orm";

import { alsoWritten } from "../commands/copies.ts";
import type { Decide } from "../commands/decision.ts";
import { addFile, addFileAt, type FilePlacement } from "../commands/file.ts";
import type { Instance } from "../instance.ts";
import { findCopy } from "../queries/copies.ts";
import { findObject, unknownObject } from "../queries/objects.ts";
import { mayBeTold } from "../queries/readable-objects.ts";
import {
  findUpload,
  unknownUpload,
  uploadDigest,
  uploadInfo,
  type UploadRow,
} from "../queries/uploads.ts";
import { findPresent } from "../placement/admitting.ts";
import type { Caller } from "../scope.ts";
import { formatTime } from "../times.ts";
import type { AddedFile } from "../types.ts";
import { together } from "../together.ts";

const selectLease = statement((sql, { objectLeases: t }, p) =>
  sql
    .select({ leaseId: t.leaseId })
    .from(t)
    .where(and(eq(t.leaseId, p("uploadId")), eq(t.contentAddress, p("address")))),
);

/** Records a file whose object is an upload of the actor, completed first if its bytes are there. */
export async function addUploadedFile(
  instance: Instance,
  { actor, scope }: Caller,
  placement: FilePlacement,
  uploadId: string,
): Promise<Decide<AddedFile>> {
  const { clock, database, placement: places, uploads } = instance;
  const find = (): Promise<UploadRow> =>
    findUpload(database.reader, { uploadId, actor, now: formatTime(clock()) });
  let upload = await find();
  if (upload.status === "open" && upload.offsetBytes === upload.sizeBytes) {
    await uploads.settle(actor, uploadId);
    upload = await find();
  }
  const { address, offsetBytes, sizeBytes } = uploadInfo(upload);
  if (address === undefined) {
    throw new StoreError(
      "upload_conflict",
      `The upload ${uploadId} has ${offsetBytes} of ${sizeBytes ?? "an unknown number of"} bytes. ` +
        "Send the others first.",
      {
        context: {
          actual: offsetBytes,
          ...(sizeBytes === undefined ? {} : { expected: sizeBytes }),
        },
      },
    );
  }
  const stored = { address, sizeBytes: offsetBytes };
  const present = await findPresent(instance, stored, upload.backend);
  if (present === undefined) throw unknownObject(address);
  const { backend, retrieval } = present;
  const isRecorded = (await findCopy(database.reader, address, backend)) !== undefined;
  return async (view) => {
    const [row, leases, known] = await together([
      findUpload(view.sql, { uploadId, actor, now: view.now }),
      selectLease(view.sql, { uploadId, address }),
      findObject(view.sql, address),
    ]);
    const digest = uploadDigest(row);
    if (digest === undefined || contentAddress(digest.primary) !== address || leases.length === 0) {
      throw unknownUpload(uploadId);
    }
    const deduplicated = known !== undefined && (await mayBeTold(view, scope, address));
    const object = { digest, backend, deduplicated };
    const decide = isRecorded
      ? addFileAt(placement, object, places)
      : alsoWritten(addFile(placement, object), { address, backend, retrieval, isMended: false });
    return decide(view);
  };
}
