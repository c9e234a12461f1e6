/**
 * What is used of the SDK, to be imported dynamically. Here its packages are imported statically: in
 * a bundle, a CommonJS module that is imported dynamically has none of its names.
 */
export * as s3 from "@aws-sdk/client-s3";
export { getSignedUrl } from "@aws-sdk/s3-request-presigner";
export { NodeHttpHandler } from "@smithy/node-http-handler";
