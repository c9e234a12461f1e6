export { openS3Storage } from "./lib/backend.ts";
export type { S3AccessKey, S3Credentials, S3Encryption, S3StorageOptions } from "./lib/options.ts";
