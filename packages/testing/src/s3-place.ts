/** Where a test finds S3: a real server that the environment names, or a double of its own. */
import { randomBytes } from "node:crypto";
import { type S3Double, type S3Place, startS3Double } from "./s3-double.ts";

/** A place, and the double's controls where it is one. */
export interface TestS3Place extends S3Place {
  /** Keys of this place's own begin so: a bucket of the environment is shared. */
  readonly prefix: string;
  /** Absent where the environment names a server, whose faults nobody controls. */
  readonly double: S3Double | undefined;
  /** Ends the double; leaves a server of the environment alone. */
  close(): Promise<void>;
}

/**
 * Gives the place that `STORE_TEST_S3_ENDPOINT`, `STORE_TEST_S3_REGION`, `STORE_TEST_S3_BUCKET`,
 * `STORE_TEST_S3_ACCESS_KEY_ID` and `STORE_TEST_S3_SECRET_ACCESS_KEY` name, or starts a double
 * where the first is not set. Throws where one of the others is missing then.
 */
export async function s3Place(): Promise<TestS3Place> {
  const prefix = `test-${randomBytes(6).toString("hex")}`;
  const given = placeOfEnvironment();
  if (given !== undefined) return { ...given, prefix, double: undefined, close: async () => {} };
  const double = await startS3Double();
  const { endpoint, region, bucket, credentials } = double;
  return { endpoint, region, bucket, credentials, prefix, double, close: () => double.close() };
}

/** The server that the environment names, if it names one. */
export function placeOfEnvironment(): S3Place | undefined {
  if (!process.env["STORE_TEST_S3_ENDPOINT"]) return undefined;
  return {
    endpoint: variable("STORE_TEST_S3_ENDPOINT"),
    region: variable("STORE_TEST_S3_REGION"),
    bucket: variable("STORE_TEST_S3_BUCKET"),
    credentials: {
      accessKeyId: variable("STORE_TEST_S3_ACCESS_KEY_ID"),
      secretAccessKey: variable("STORE_TEST_S3_SECRET_ACCESS_KEY"),
    },
  };
}

function variable(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === "") throw new Error(`${name} is not set.`);
  return value;
}
