/** The double of S3 as a process of its own. */
export { startS3DoubleProcess } from "./lib/s3-double/process.ts";
export type { S3DoubleProcess, S3DoubleProcessOptions } from "./lib/s3-double/process.ts";
