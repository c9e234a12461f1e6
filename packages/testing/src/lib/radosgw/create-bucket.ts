import { createHmac, hash } from "node:crypto";
import type { S3Place } from "../s3-double/server.ts";

/** Makes the place's bucket, with one signed request (SigV4). */
export async function createBucket(place: S3Place): Promise<void> {
  const { endpoint, region, bucket, credentials } = place;
  const url = new URL(`/${bucket}`, endpoint);
  const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/gu, "");
  const date = time.slice(0, 8);
  const scope = `${date}/${region}/s3/aws4_request`;
  const payload = hash("sha256", "", "hex");
  const signedHeaders = "host;x-amz-content-sha256;x-amz-date";
  const canonical = [
    "PUT",
    url.pathname,
    "",
    `host:${url.host}`,
    `x-amz-content-sha256:${payload}`,
    `x-amz-date:${time}`,
    "",
    signedHeaders,
    payload,
  ].join("\n");
  const toSign = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${hash("sha256", canonical, "hex")}`;
  const first = Buffer.from(`AWS4${credentials.secretAccessKey}`);
  const key = [date, region, "s3", "aws4_request"].reduce((before, text) => {
    return createHmac("sha256", before).update(text).digest();
  }, first);
  const signature = createHmac("sha256", key).update(toSign).digest("hex");
  const credential = `Credential=${credentials.accessKeyId}/${scope}`;
  const answer = await fetch(url, {
    method: "PUT",
    headers: {
      authorization: `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=${signedHeaders}, Signature=${signature}`,
      "x-amz-content-sha256": payload,
      "x-amz-date": time,
    },
  });
  if (!answer.ok) throw new Error(`The bucket could not be made: ${await answer.text()}`);
}
