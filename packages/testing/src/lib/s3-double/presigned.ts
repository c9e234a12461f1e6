import {
  type Authorization,
  checkSignature,
  parseCredential,
  parseTime,
  type SignatureClaim,
  type SignatureRules,
} from "./authorization.ts";
import { S3Error } from "./errors.ts";
import { header, type S3Request } from "./request.ts";

const week = 7 * 24 * 3600;
const toleranceMs = 15 * 60_000;

/** Checks a presigned URL (SigV4 in the query). Throws `S3Error`. */
export function authorizeByQuery(request: S3Request, rules: SignatureRules): Authorization {
  const claim = readClaim(request, rules.region);
  const signedAt = parseTime(claim.time);
  if (signedAt === undefined || !claim.time.startsWith(claim.date)) {
    throw queryError("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
  }
  const expires = readExpires(request.query.get("X-Amz-Expires") ?? "");
  const now = rules.now();
  if (signedAt > now + toleranceMs) {
    throw new S3Error("AccessDenied", {}, "Request is not yet valid");
  }
  const until = signedAt + expires * 1000;
  if (now > until) {
    throw new S3Error(
      "AccessDenied",
      {
        "X-Amz-Expires": String(expires),
        Expires: seconds(until),
        ServerTime: seconds(now),
      },
      "Request has expired",
    );
  }
  return checkSignature(request, claim, rules);
}

function readClaim(request: S3Request, region: string): SignatureClaim {
  const { query } = request;
  if (query.get("X-Amz-Algorithm") !== "AWS4-HMAC-SHA256") {
    throw queryError('X-Amz-Algorithm only supports "AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256"');
  }
  const signature = query.get("X-Amz-Signature");
  const names = query.get("X-Amz-SignedHeaders");
  const time = query.get("X-Amz-Date");
  const credential = query.get("X-Amz-Credential");
  if (
    signature === undefined ||
    names === undefined ||
    time === undefined ||
    credential === undefined ||
    !query.has("X-Amz-Expires")
  ) {
    throw new S3Error("AuthorizationQueryParametersError");
  }
  const scope = parseCredential(credential);
  if (scope === undefined) {
    throw queryError("Error parsing the X-Amz-Credential parameter; the Credential is mal-formed");
  }
  if (scope.region !== region) {
    throw queryError(
      `Error parsing the X-Amz-Credential parameter; the region '${scope.region}' is wrong; ` +
        `expecting '${region}'`,
      { Region: region },
    );
  }
  const payloadHash =
    query.get("X-Amz-Content-Sha256") ??
    header(request, "x-amz-content-sha256") ??
    "UNSIGNED-PAYLOAD";
  const token = query.get("X-Amz-Security-Token");
  return { ...scope, signedHeaders: names.split(";"), signature, time, token, payloadHash };
}

function readExpires(text: string): number {
  if (!/^-?\d+$/u.test(text)) throw queryError("X-Amz-Expires should be a number");
  const expires = Number(text);
  if (expires < 0) throw queryError("X-Amz-Expires must be non-negative");
  if (expires > week) {
    throw queryError("X-Amz-Expires must be less than a week (in seconds) that is 604800");
  }
  return expires;
}

function queryError(message: string, details: Readonly<Record<string, string>> = {}): S3Error {
  return new S3Error("AuthorizationQueryParametersError", details, message);
}

function seconds(time: number): string {
  return new Date(time).toISOString().replace(/\.\d+/u, "");
}
