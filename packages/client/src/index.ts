export { createClient, type ClientOptions, type StoreClient } from "./lib/client.ts";
export type { AnswerJson, Call, CallAnswer, CallInput } from "./lib/http/call-types.ts";
export { fetchTransport, type Fetch, type FetchInit } from "./lib/http/fetch-transport.ts";
export type { RetryOptions } from "./lib/http/retries.ts";
export type {
  AnswerHeaders,
  RequestBody,
  Transport,
  TransportAnswer,
  TransportRequest,
} from "./lib/http/transport.ts";
export type {
  AccountMethods,
  CreatedToken,
  KeyInfo,
  Me,
  RefusalInfo,
} from "./lib/methods/accounts.ts";
export type {
  CopyMethods,
  EvacuateObjectsOptions,
  ReplicateObjectsOptions,
  RestoreObjectOptions,
  VerifyObjectsOptions,
} from "./lib/methods/copies.ts";
export type { ByteRange, DownloadOptions, ResolvedRange } from "./lib/methods/download.ts";
export type { EventMethods, EventPage, EventQuery } from "./lib/methods/events.ts";
export type {
  ExpectedContent,
  FileMethods,
  FileOptions,
  IngestFileOptions,
  OpenedFile,
  UploadReference,
} from "./lib/methods/files.ts";
export type { MutationOptions } from "./lib/methods/mutation.ts";
export type { NameDetails, NameFilter, NameMethods, SetTagOptions } from "./lib/methods/names.ts";
export type { ObjectInfo } from "./lib/methods/object-headers.ts";
export type { ObjectWorkOptions } from "./lib/methods/object-work.ts";
export type { ObjectMethods, OpenedBytes, OpenedObject } from "./lib/methods/objects.ts";
export type { LogHead, OperationMethods } from "./lib/methods/operation.ts";
export type {
  FinalizedPackage,
  HoldFilter,
  PackageFilter,
  PackageMethods,
} from "./lib/methods/packages.ts";
export type { PageOptions } from "./lib/methods/paging.ts";
export type { StoredEvent } from "./lib/methods/stored-event.ts";
export type { TailOptions } from "./lib/methods/tail.ts";
export type {
  AppendedUpload,
  AppendUploadOptions,
  CreateUploadInput,
  UploadMethods,
} from "./lib/methods/uploads.ts";
export {
  decodeSession,
  type Credential,
  type Session,
  type SessionCredential,
} from "./lib/session.ts";
export { blobSource, type UploadSource } from "./lib/push/source.ts";
export type { UploadTarget } from "./lib/push/target.ts";
export {
  uploadFiles,
  type UploadedFiles,
  type UploadFilesOptions,
  type UploadProgress,
} from "./lib/push/upload-files.ts";
