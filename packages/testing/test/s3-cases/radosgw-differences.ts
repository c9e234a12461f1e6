const noChecksums = "16.2 knows none of the checksums of 2022; it ignores their headers";
const noTrailers = "16.2 takes the form with trailers for the payload's hash, or for no length";

/**
 * Where `radosgw` 16.2 behaves otherwise than AWS, by the case's name, with what it does. The run
 * against it expects these cases to fail, and all others to hold.
 */
export const radosgwDifferences: ReadonlyMap<string, string> = new Map([
  [
    "says in the document of a 416 what was asked for and how large the object is",
    "its error documents hold a code and no message or details",
  ],
  ["refuses a key of more than 1,024 bytes", "400 InvalidObjectName"],
  ["refuses more than 2 KiB of metadata", "it takes more"],
  ["refuses a storage class that there is not", "400 InvalidArgument"],
  [
    "encrypts with its own key where that is asked for, and says so",
    "16.2 has no AES256 of its own, and refuses it with 400 InvalidRequest",
  ],
  ["refuses an encryption that there is not", "400 InvalidRequest"],
  ["refuses a customer's key on a connection without TLS", "400 InvalidRequest"],
  [
    "knows no other If-None-Match of a write than *",
    "it compares entity tags too, and answers 412 where there is no object",
  ],
  [
    "writes under If-Match only in the place of that object",
    "it compares with the quotation marks, so that nothing matches",
  ],
  ["refuses If-Match where there is no object with 404", "412 PreconditionFailed"],
  [
    "refuses to complete an upload to a taken key under If-None-Match: * with 412",
    "16.2 ignores conditions of a Complete: the later one wins",
  ],
  ["refuses a token that it did not give", "it takes any text for a key to go on after"],
  [
    "leaves out the parts that a Complete does not name",
    "it wants all parts that were uploaded, and answers 400 InvalidPart",
  ],
  ["refuses parts out of order", "it sorts them"],
  ["refuses part numbers below 1 and above 10,000", "it takes them"],
  ["knows no upload that was aborted", "a Complete of one is answered with 500 InternalError"],
  ["knows no upload that was completed", "404 NoSuchKey"],
  ["refuses a range of the source that ends after it", "416 InvalidRange"],
  ["reads one part of a finished object", "16.2 ignores partNumber, and gives the whole"],
  ["copies under a condition on the source", "16.2 copies whatever the entity tag"],
  ["copies only to a free key under If-None-Match: *", "16.2 ignores conditions of the target"],
  ["keeps an object's CRC32, and refuses one that does not match", noChecksums],
  ["keeps an object's CRC32C, and refuses one that does not match", noChecksums],
  ["keeps an object's CRC64NVME, and refuses one that does not match", noChecksums],
  ["keeps an object's SHA1, and refuses one that does not match", noChecksums],
  ["keeps an object's SHA256, and refuses one that does not match", noChecksums],
  ["refuses a checksum that is none, and two at once", noChecksums],
  ["takes checksums of the SDK in headers and in trailers", noTrailers],
  [
    "refuses a trailer that does not match, one that is missing and one that was not announced",
    noTrailers,
  ],
  ["keeps the checksum of checksums of an object of parts", noChecksums],
  ["keeps the CRC of the whole of an object of parts", noChecksums],
  ["wants the checksums of the parts again when it completes an upload that has them", noChecksums],
  ["refuses headers of S3 that are not signed", "it takes and keeps them"],
  ["refuses a scope of another region", "it has one zone, and does not compare the region"],
  ["refuses a request that does not say the hash of its payload", "403 SignatureDoesNotMatch"],
  [
    "takes a stream of signed chunks, and refuses one with a wrong signature in it",
    "400 XAmzContentSHA256Mismatch for a wrong signature",
  ],
  ["takes a stream of signed chunks with a signed trailer, and refuses a wrong one", noTrailers],
  ["refuses chunks below 8 KiB before the last", "it takes them"],
  [
    "refuses a stream that ends before it has said so, and one of another length",
    "400 XAmzContentSHA256Mismatch",
  ],
  ["refuses a presigned URL whose time is over", "403 AccessDenied without a message"],
  ["refuses a presigned URL that would hold for more than a week", "403 AccessDenied"],
]);
