import type { PackageJson, Routes, UploadJson } from "@store/api";
import { expectTypeOf, test } from "vitest";

import type { Call, CallAnswer, CallInput, StoreClient } from "../src/index.ts";

test("a call takes what its route's schemas take, and gives what they give", () => {
  expectTypeOf<CallAnswer<Routes["getPackage"]>["json"]>().toEqualTypeOf<PackageJson>();
  expectTypeOf<CallAnswer<Routes["getUpload"]>["json"]>().toEqualTypeOf<UploadJson>();
  expectTypeOf<CallAnswer<Routes["deleteFile"]>["json"]>().toEqualTypeOf<undefined>();
  expectTypeOf<CallAnswer<Routes["getFile"]>["json"]>().toEqualTypeOf<undefined>();
  expectTypeOf<CallInput<Routes["getPackage"]>["params"]>().toEqualTypeOf<{ packageId: string }>();
  expectTypeOf<undefined>().toExtend<CallAnswer<Routes["listEvents"]>["json"]>();
});

test("a call that its route does not take does not compile", () => {
  const attempts = (call: Call) => [
    () => call("getHealth"),
    () => call("listPackages", {}),
    () => call("setTag", { params: tag, body: { package_id: "1" }, headers: { "if-match": "*" } }),
    // @ts-expect-error: no such route
    () => call("getNothing"),
    // @ts-expect-error: the route has a parameter
    () => call("getPackage"),
    // @ts-expect-error: the parameter is packageId
    () => call("getPackage", { params: { id: "1" } }),
    // @ts-expect-error: a query is text
    () => call("listPackages", { query: { limit: 5 } }),
    // @ts-expect-error: there is no such status
    () => call("listPackages", { query: { status: "gone" } }),
    // @ts-expect-error: the body lacks package_id
    () => call("setTag", { params: tag, body: {} }),
    // @ts-expect-error: the route takes no such header
    () => call("getPackage", { params: { packageId: "1" }, headers: { range: "bytes=0-" } }),
    // @ts-expect-error: the route takes no body
    () => call("getPackage", { params: { packageId: "1" }, body: {} }),
  ];
  expectTypeOf(attempts).toBeFunction();
  expectTypeOf<StoreClient["call"]>().toEqualTypeOf<Call>();
});

const tag = { namespace: "acme", name: "app", tag: "stable" };
