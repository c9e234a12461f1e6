/** A strict double of S3 for tests: what AWS would refuse is refused. */
export { startS3Double } from "./lib/s3-double/server.ts";
export type { S3Double, S3DoubleOptions, S3Place } from "./lib/s3-double/server.ts";
export type { S3Controls, S3ObjectFacts, S3UploadFacts } from "./lib/s3-double/controls.ts";
export type { S3Credential } from "./lib/s3-double/credentials.ts";
export type { S3Fault, S3FaultEffect, S3FaultScope } from "./lib/s3-double/faults.ts";
export type { S3RequestRecord } from "./lib/s3-double/request-log.ts";
export type { S3Operation } from "./lib/s3-double/route.ts";
