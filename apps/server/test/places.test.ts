import { expect, it } from "vitest";

import { placesOf } from "../src/lib/storage/places.ts";

it("says where backends are, and no secret of how they are reached", () => {
  const credentials = { accessKeyId: "id", secretAccessKey: "secret" };
  const s3 = { kind: "s3", bucket: "objects", credentials } as const;
  const places = placesOf({
    backends: {
      disk: { kind: "local", root: "/srv/objects" },
      aws: s3,
      own: { ...s3, prefix: "a/b", endpoint: "http://id:secret@store.example:9000/path" },
    },
    placement: { primary: "disk", mirrors: [], readOrder: [] },
  });
  expect(places).toEqual({
    disk: "/srv/objects",
    aws: "s3://objects",
    own: "s3://objects/a/b at store.example:9000",
  });
});
