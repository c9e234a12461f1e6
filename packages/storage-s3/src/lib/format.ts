import { StoreError } from "@store/identity";
import { nameOf, s3Failure } from "./requests/failure.ts";
import { layoutName, layoutVersion } from "./layout.ts";
import type { Place } from "./place.ts";
import { putText } from "./requests/put-bytes.ts";
import { shortText } from "./requests/short-answers.ts";
import { isAbsent } from "./stat.ts";

/**
 * Makes the prefix ready: a new one gets its format file, an old one is checked against it. Several
 * processes may do so at once. Throws `layout_unknown` where newer code has laid it out, and
 * `storage_unavailable` where nothing has, if it may not be made.
 */
export async function prepareFormat(place: Place): Promise<void> {
  if (await checkFormat(place)) return;
  if (!place.settings.create) throw formatMissing(place);
  try {
    const format = { format: layoutName, version: layoutVersion };
    const ifAbsent = place.settings.conditionalWrites;
    await putText(place, place.layout.format, `${JSON.stringify(format)}\n`, { ifAbsent });
  } catch (error) {
    // Another process was faster.
    if (nameOf(error) !== "PreconditionFailed")
      throw s3Failure(error, `open the bucket ${place.bucket}`);
  }
  await assertFormat(place);
}

/** Throws unless the format file is there and names this layout. */
export async function assertFormat(place: Place): Promise<void> {
  if (await checkFormat(place)) return;
  throw formatMissing(place);
}

/** Whether there is a format file; throws unless it names this layout. */
async function checkFormat(place: Place): Promise<boolean> {
  const text = await readFormat(place);
  if (text === undefined) return false;
  const { format, version } = parsed(text);
  if (format !== layoutName) throw unknownLayout(place, "its format.json is not of this backend");
  if (version !== layoutVersion) {
    const found = JSON.stringify(version);
    throw unknownLayout(place, `its layout has the version ${found}, not ${layoutVersion}`);
  }
  return true;
}

async function readFormat(place: Place): Promise<string | undefined> {
  try {
    return await place.attempt(async (client) => {
      const { Body } = await client.send(
        new place.sdk.GetObjectCommand({ Bucket: place.bucket, Key: place.layout.format }),
      );
      return shortText(Body);
    });
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw s3Failure(error, `open the bucket ${place.bucket}`);
  }
}

function parsed(text: string): { readonly format?: unknown; readonly version?: unknown } {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}

function formatMissing({ bucket, settings }: Place): StoreError {
  return new StoreError(
    "storage_unavailable",
    `The bucket ${bucket} has no format.json below the prefix ` +
      `${JSON.stringify(settings.prefix)}: it is not the place that it was. Check the bucket and ` +
      "the prefix, or restore it from a replica.",
  );
}

function unknownLayout({ bucket, settings }: Place, why: string): StoreError {
  return new StoreError(
    "layout_unknown",
    `The bucket ${bucket} cannot be used below the prefix ${JSON.stringify(settings.prefix)}: ` +
      `${why}. Name another prefix, or use the version of Store that wrote it.`,
  );
}
