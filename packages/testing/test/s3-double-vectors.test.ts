import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startS3Double, type S3Double } from "../src/s3-double.ts";
import { type RawAnswer, send } from "./s3-cases/raw-s3.ts";

/**
 * The examples of AWS: "Authenticating Requests: Using the Authorization Header (AWS Signature
 * Version 4)", its pages on chunked uploads and on trailers, and "Using Query Parameters". They
 * are sent as they are printed to a double whose clock stands at their time.
 */
const credentials = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
};
const host = "examplebucket.s3.amazonaws.com";
const emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const scope = "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request";

let double: S3Double;

beforeAll(async () => {
  double = await startS3Double({ credentials, bucket: "examplebucket" });
  await double.setClockOffset(Date.parse("2013-05-24T00:00:00Z") - Date.now());
});

afterAll(() => double.close());

function authorization(signedHeaders: string, signature: string): string {
  return `AWS4-HMAC-SHA256 Credential=${scope},SignedHeaders=${signedHeaders},Signature=${signature}`;
}

/** 65 KiB of "a", in chunks of 64 KiB and 1 KiB whose signatures are given. */
function framed(signatures: readonly string[], trailer: string): string {
  const sizes = [65536, 1024, 0];
  const chunks = sizes.map((size, index) => {
    const head = `${size.toString(16)};chunk-signature=${signatures[index]}\r\n`;
    return `${head}${"a".repeat(size)}${size === 0 ? "" : "\r\n"}`;
  });
  return `${chunks.join("")}${trailer}\r\n`;
}

function putChunks(
  seed: string,
  payload: string,
  signatures: readonly string[],
  extra: Readonly<Record<string, string>>,
  trailer = "",
): Promise<RawAnswer> {
  const body = framed(signatures, trailer);
  const names = [
    "content-encoding",
    ...(trailer === "" ? ["content-length"] : []),
    "host",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-decoded-content-length",
    "x-amz-storage-class",
    ...(trailer === "" ? [] : ["x-amz-trailer"]),
  ];
  const headers = {
    host: "s3.amazonaws.com",
    "x-amz-date": "20130524T000000Z",
    "x-amz-storage-class": "REDUCED_REDUNDANCY",
    authorization: authorization(names.join(";"), seed),
    "x-amz-content-sha256": payload,
    "content-encoding": "aws-chunked",
    "x-amz-decoded-content-length": "66560",
    "content-length": String(body.length),
    ...extra,
  };
  const request = { method: "PUT", path: "/examplebucket/chunkObject.txt" };
  return send(double, request, headers, body);
}

describe("the examples of AWS", () => {
  it("takes the PUT, and refuses it with another body", async () => {
    const body = "Welcome to Amazon S3.";
    const headers = {
      date: "Fri, 24 May 2013 00:00:00 GMT",
      host,
      "x-amz-content-sha256": "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
      "x-amz-date": "20130524T000000Z",
      "x-amz-storage-class": "REDUCED_REDUNDANCY",
      authorization: authorization(
        "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
      ),
      "content-length": "21",
    };
    const request = { method: "PUT", path: "/test%24file.text" };
    expect((await send(double, request, headers, body)).status).toBe(200);
    const other = await send(double, request, headers, "Welcome to Amazon S4.");
    expect(other.code).toBe("XAmzContentSHA256Mismatch");
  });

  it("takes the GET of a range, and refuses it with another range", async () => {
    const headers = {
      host,
      range: "bytes=0-9",
      "x-amz-content-sha256": emptyHash,
      "x-amz-date": "20130524T000000Z",
      authorization: authorization(
        "host;range;x-amz-content-sha256;x-amz-date",
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
      ),
    };
    const request = { method: "GET", path: "/test.txt" };
    // The signature holds; there is no such object.
    expect((await send(double, request, headers)).code).toBe("NoSuchKey");
    const other = await send(double, request, { ...headers, range: "bytes=0-8" });
    expect(other.code).toBe("SignatureDoesNotMatch");
  });

  it("takes the presigned URL until its day is over", async () => {
    const query = (signature: string): string =>
      `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${encodeURIComponent(scope)}` +
      "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host" +
      `&X-Amz-Signature=${signature}`;
    const signature = "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
    const request = { method: "GET", path: "/test.txt", query: query(signature) };
    expect((await send(double, request, { host })).code).toBe("NoSuchKey");
    const wrong = { ...request, query: query(signature.replace("a", "b")) };
    expect((await send(double, wrong, { host })).code).toBe("SignatureDoesNotMatch");
  });

  const signed = [
    "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
    "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
    "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
  ];
  const seed = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";

  it("takes the upload by signed chunks, and refuses it with one of them changed", async () => {
    const payload = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
    expect((await putChunks(seed, payload, signed, {})).status).toBe(200);
    for (const changed of [0, 1, 2]) {
      const wrong = signed.map((each, index) => (index === changed ? "0".repeat(64) : each));
      // oxlint-disable-next-line eslint/no-await-in-loop -- one after the other
      const answer = await putChunks(seed, payload, wrong, {});
      expect(answer.code).toBe("SignatureDoesNotMatch");
    }
  });

  it("takes the upload with a signed trailer, and refuses another trailer", async () => {
    const payload = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
    const chunks = [
      "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
      "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
      "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
    ];
    const first = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e";
    const last = "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435";
    const announced = { "x-amz-trailer": "x-amz-checksum-crc32c" };
    const trailer = (checksum: string): string =>
      `x-amz-checksum-crc32c:${checksum}\r\nx-amz-trailer-signature:${last}\r\n`;
    const right = await putChunks(first, payload, chunks, announced, trailer("sOO8/Q=="));
    expect(right.status).toBe(200);
    const wrong = await putChunks(first, payload, chunks, announced, trailer("sOO8/R=="));
    expect(wrong.code).toBe("SignatureDoesNotMatch");
  });
});
