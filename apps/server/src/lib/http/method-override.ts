import type { IncomingMessage } from "node:http";

const overriding = new Set(["PATCH", "DELETE", "HEAD"]);

/**
 * The method that a request means: tus lets a client that can send no other say it in
 * `X-HTTP-Method-Override`. Heeded for `POST` to an upload only, which no browser's form can have
 * with this header, so that nothing else can be made of what a proxy took for a `POST`.
 */
export function methodOf({ method = "", headers, url = "" }: IncomingMessage): string {
  const meant = headers["x-http-method-override"];
  if (method !== "POST" || typeof meant !== "string" || !overriding.has(meant)) return method;
  return url.startsWith("/api/v1/uploads/") ? meant : method;
}
