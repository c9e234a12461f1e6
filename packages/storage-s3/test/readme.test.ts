import { join } from "node:path";
import { startS3Double } from "@store/testing/s3-double";
import { runReadmeExamples } from "@store/testing/readme";
import { expect, onTestFinished, test } from "vitest";

test("the README's examples compile, run and print what they say", async () => {
  const double = await startS3Double({ region: "eu-central-1", bucket: "artifacts" });
  onTestFinished(async () => double.close());
  const { accessKeyId, secretAccessKey } = double.credentials;
  const [first, second] = await runReadmeExamples(join(import.meta.dirname, ".."), {
    env: {
      AWS_ENDPOINT_URL_S3: double.endpoint,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    },
  });
  expect(first?.stdout).toBe(
    [
      "{",
      "  address: 'blake3:d74981efa70a0c880b8d8c1985d075dbcbf679b99a5f9914e5aaf96b831a9e24',",
      "  sizeBytes: 11",
      "}",
      "world",
      "hello world",
      "",
    ].join("\n"),
  );
  expect(second?.stdout).toBe("6\n6\n");
  expect(await double.unfinishedUploads()).toEqual([]);
  const objects = await double.objects();
  expect(objects.map(({ key }) => key)).toEqual(["store/format.json"]);
});
