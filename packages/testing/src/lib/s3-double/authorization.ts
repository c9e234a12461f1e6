import { timingSafeEqual } from "node:crypto";
import { canonicalRequest, sha256Hex, stringToSign } from "./canonical-request.ts";
import { type CredentialStore, hmac, type S3Credential } from "./credentials.ts";
import { invalidArgument, S3Error } from "./errors.ts";
import { header, type S3Request } from "./request.ts";

/** What signatures are checked against. */
export interface SignatureRules {
  readonly region: string;
  readonly credentials: CredentialStore;
  /** The server's clock, in milliseconds since 1970. */
  now(): number;
}

/** A request whose signature held. */
export interface Authorization {
  readonly accessKeyId: string;
  /** The value of `x-amz-content-sha256`. */
  readonly payloadHash: string;
  /** What the chunks of a signed stream follow from. */
  readonly signingKey: Buffer;
  readonly signature: string;
  readonly time: string;
  readonly scope: string;
}

/** What a client claims, from the header or from the query. */
export interface SignatureClaim {
  readonly accessKeyId: string;
  readonly date: string;
  readonly region: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  readonly time: string;
  readonly token: string | undefined;
  readonly payloadHash: string;
}

const maximumSkewMs = 15 * 60_000;

const authorizationForm =
  /^AWS4-HMAC-SHA256\s+Credential=([^,\s]+),\s*SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]{64})$/u;

/** Checks the `Authorization` header (SigV4). Throws `S3Error`. */
export function authorizeByHeader(request: S3Request, rules: SignatureRules): Authorization {
  const claim = readClaim(request);
  const signedAt = parseTime(claim.time);
  if (signedAt === undefined || !claim.time.startsWith(claim.date)) {
    throw new S3Error(
      "AuthorizationHeaderMalformed",
      {},
      "The authorization header is malformed; the date of the scope is not the request's.",
    );
  }
  if (claim.region !== rules.region) {
    throw new S3Error(
      "AuthorizationHeaderMalformed",
      { Region: rules.region },
      `The authorization header is malformed; the region '${claim.region}' is wrong; ` +
        `expecting '${rules.region}'`,
    );
  }
  if (Math.abs(rules.now() - signedAt) > maximumSkewMs) {
    throw new S3Error("RequestTimeTooSkewed", {
      RequestTime: claim.time,
      ServerTime: new Date(rules.now()).toISOString().replace(/\.\d+/u, ""),
      MaxAllowedSkewMilliseconds: String(maximumSkewMs),
    });
  }
  return checkSignature(request, claim, rules);
}

function readClaim(request: S3Request): SignatureClaim {
  const text = header(request, "authorization") ?? "";
  if (!text.startsWith("AWS4-HMAC-SHA256")) {
    throw new S3Error(
      "InvalidRequest",
      {},
      "The authorization mechanism you have provided is not supported. " +
        "Please use AWS4-HMAC-SHA256.",
    );
  }
  const [, credential, names, signature] = authorizationForm.exec(text) ?? [];
  const scope = parseCredential(credential ?? "");
  if (names === undefined || signature === undefined || scope === undefined) {
    throw new S3Error("AuthorizationHeaderMalformed");
  }
  const payloadHash = header(request, "x-amz-content-sha256");
  if (payloadHash === undefined) {
    throw new S3Error(
      "InvalidRequest",
      {},
      "Missing required header for this request: x-amz-content-sha256",
    );
  }
  const time = header(request, "x-amz-date") ?? amzTimeOf(header(request, "date"));
  if (time === undefined) {
    throw new S3Error(
      "AccessDenied",
      {},
      "AWS authentication requires a valid Date or x-amz-date header",
    );
  }
  const token = header(request, "x-amz-security-token");
  return { ...scope, signedHeaders: names.split(";"), signature, time, token, payloadHash };
}

/** `<key>/<date>/<region>/s3/aws4_request`, whose key may hold slashes. */
export function parseCredential(
  text: string,
): { accessKeyId: string; date: string; region: string } | undefined {
  const found = /^(.+)\/(\d{8})\/([^/]+)\/s3\/aws4_request$/u.exec(text);
  const [, accessKeyId, date, region] = found ?? [];
  if (accessKeyId === undefined || date === undefined || region === undefined) return undefined;
  return { accessKeyId, date, region };
}

/** Reads `20130524T000000Z`; nothing where it is no time. */
export function parseTime(text: string): number | undefined {
  const iso = text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/u, "$1-$2-$3T$4:$5:$6Z");
  const time = Date.parse(iso);
  return iso === text || Number.isNaN(time) ? undefined : time;
}

function amzTimeOf(date: string | undefined): string | undefined {
  const time = date === undefined ? Number.NaN : Date.parse(date);
  if (Number.isNaN(time)) return undefined;
  return new Date(time).toISOString().replaceAll(/[-:]|\.\d+/gu, "");
}

/** Finds the key, and compares the signature that it gives. Throws `S3Error`. */
export function checkSignature(
  request: S3Request,
  claim: SignatureClaim,
  rules: SignatureRules,
): Authorization {
  const credential = rules.credentials.find(claim.accessKeyId, claim.token, rules.now());
  refuseUnsignedHeaders(request, claim.signedHeaders);
  const scope = `${claim.date}/${claim.region}/s3/aws4_request`;
  const canonical = canonicalRequest(request, claim);
  const toSign = stringToSign(claim.time, scope, canonical);
  const signingKey = rules.credentials.signingKey(credential, claim.date, claim.region);
  if (!sameHex(hmac(signingKey, toSign), claim.signature)) {
    throw mismatch(claim, credential, toSign, canonical);
  }
  return {
    accessKeyId: claim.accessKeyId,
    payloadHash: claim.payloadHash,
    signingKey,
    signature: claim.signature,
    time: claim.time,
    scope,
  };
}

function refuseUnsignedHeaders(request: S3Request, signed: readonly string[]): void {
  if (signed.some((name, index) => name <= (signed[index - 1] ?? ""))) {
    throw new S3Error("SignatureDoesNotMatch");
  }
  const unsigned = Object.keys(request.headers).filter((name) => {
    return (name === "host" || name.startsWith("x-amz-")) && !signed.includes(name);
  });
  if (unsigned.length === 0) return;
  throw new S3Error(
    "AccessDenied",
    { HeadersNotSigned: unsigned.join(", ") },
    "There were headers present in the request which were not signed",
  );
}

function mismatch(
  claim: SignatureClaim,
  credential: S3Credential,
  toSign: string,
  canonical: string,
): S3Error {
  return new S3Error("SignatureDoesNotMatch", {
    AWSAccessKeyId: credential.accessKeyId,
    StringToSign: toSign,
    SignatureProvided: claim.signature,
    CanonicalRequest: canonical,
  });
}

/** Whether the signature is this one, written as lower-case hex. */
export function sameHex(computed: Buffer, given: string): boolean {
  const bytes = Buffer.from(given, "hex");
  return bytes.length === computed.length && timingSafeEqual(bytes, computed);
}

const emptyHash = sha256Hex("");

/** The signature of one chunk of a signed stream, or of its trailer. */
export function chunkSignature(
  authorization: Authorization,
  kind: "PAYLOAD" | "TRAILER",
  previous: string,
  contentHash: string,
): Buffer {
  const lines = [`AWS4-HMAC-SHA256-${kind}`, authorization.time, authorization.scope, previous];
  if (kind === "PAYLOAD") lines.push(emptyHash);
  return hmac(authorization.signingKey, [...lines, contentHash].join("\n"));
}

/** One way to sign is wanted, and one only. Throws `S3Error`. */
export function signingForm(request: S3Request): "header" | "query" {
  const byHeader = header(request, "authorization") !== undefined;
  const byQuery = request.query.has("X-Amz-Algorithm");
  if (byHeader && byQuery) {
    throw invalidArgument(
      "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature " +
        "query string parameter or the Authorization header should be specified",
      "Authorization",
    );
  }
  if (!byHeader && !byQuery) throw new S3Error("AccessDenied");
  return byQuery ? "query" : "header";
}
