const second = 1000;
const kibibyte = 1024;

/** How much of the server one client may take. */
export interface HttpLimits {
  /** Of a JSON body, in bytes. */
  readonly jsonBytes: number;
  /** How many arrays and objects of a JSON body may be nested in one another. */
  readonly jsonDepth: number;
  /** Of a file or an upload, in bytes. */
  readonly objectBytes: number;
  /** Of a request's line and header fields together, in bytes. */
  readonly headerBytes: number;
  /** How many header fields a request may have. */
  readonly headerCount: number;
  /** Of a request's target, in bytes. */
  readonly urlBytes: number;
  /** How long the header fields of a request may take. */
  readonly headersTimeoutMs: number;
  /** How long a JSON body may take. */
  readonly bodyTimeoutMs: number;
  /** How long a client may neither send what is waited for nor take what is sent. */
  readonly idleTimeoutMs: number;
  /** How long a connection without a request is kept. */
  readonly keepAliveTimeoutMs: number;
  /** How many connections may be open. */
  readonly connections: number;
  /** How many requests may be under way. */
  readonly requests: number;
}

/** The limits that hold where none are given. */
export const defaultHttpLimits: HttpLimits = Object.freeze({
  // Metadata may have a mebibyte, and so may 10,000 addresses.
  jsonBytes: 2 * kibibyte ** 2,
  jsonDepth: 64,
  objectBytes: 5 * kibibyte ** 4,
  headerBytes: 16 * kibibyte,
  headerCount: 100,
  urlBytes: 8 * kibibyte,
  headersTimeoutMs: 15 * second,
  bodyTimeoutMs: 30 * second,
  idleTimeoutMs: 60 * second,
  // Longer than the minute for which balancers keep theirs, so that they end it first.
  keepAliveTimeoutMs: 65 * second,
  connections: 4096,
  requests: 1024,
});
