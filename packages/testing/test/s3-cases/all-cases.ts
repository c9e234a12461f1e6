import type { S3Case } from "./case.ts";
import { checksumCases } from "./checksums.ts";
import { conditionCases } from "./conditions.ts";
import { copyCases } from "./copies.ts";
import { listCases } from "./lists.ts";
import { objectCases } from "./objects.ts";
import { signatureCases } from "./signatures.ts";
import { uploadCases } from "./uploads.ts";

/** Every behaviour of S3 that the double, and the server it is held against, are tried for. */
export const allCases: readonly S3Case[] = [
  ...objectCases,
  ...conditionCases,
  ...listCases,
  ...uploadCases,
  ...copyCases,
  ...checksumCases,
  ...signatureCases,
];
