import { describeConformance } from "@store/storage/conformance";
import { type TestS3Place, s3Place } from "@store/testing/s3-place";
import { afterAll, beforeAll, describe, test } from "vitest";
import { Bucket } from "./lib/bucket.ts";

/** One server for the suite; each case has a prefix of its own. */
let place: TestS3Place;

beforeAll(async () => {
  place = await s3Place();
});

afterAll(async () => place.close());

describeConformance(
  { describe, test },
  {
    name: "s3",
    open: async () => {
      const bucket = new Bucket(place);
      return {
        backend: await bucket.open(),
        openAnother: async () => bucket.open(),
        leftovers: async () => bucket.leftovers(),
        dispose: async () => bucket.dispose(),
      };
    },
  },
);
