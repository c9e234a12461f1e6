import { statement } from "@store/database";
import { contentAddress, StoreError } from "@store/identity";
import { and, eq } from "drizzle-orm";

import type { Decide } from "../commands/decision.ts";
import { addFile, type FilePlacement } from "../commands/file.ts";
import type { Instance } from "../instance.ts";
import { findObject, unknownObject } from "../queries/objects.ts";
import { mayBeTold } from "../queries/readable-objects.ts";
import { findUpload, unknownUpload, uploadDigest } from "../queries/uploads.ts";
import type { Caller } from "../scope.ts";
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
  { primary, uploads }: Instance,
  { actor, scope }: Caller,
  placement: FilePlacement,
  uploadId: string,
): Promise<Decide<AddedFile>> {
  let upload = await uploads.get(actor, uploadId);
  if (upload.status === "open" && upload.offsetBytes === upload.sizeBytes) {
    upload = await uploads.settle(actor, uploadId);
  }
  const { address, offsetBytes, sizeBytes } = upload;
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
  const stat = await primary.stat(address);
  if (stat?.sizeBytes !== offsetBytes) throw unknownObject(address);
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
    return addFile(placement, { digest, backend: row.backend, deduplicated })(view);
  };
}
