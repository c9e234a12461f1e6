import type { Answer } from "./double.ts";
import type { Sample } from "./samples.ts";

/** Sends an object as ranges ask for it; `sent` says how much of an answer, before it is cut. */
export function serving(
  { bytes, headers }: Sample,
  sent: (attempt: number) => number = () => Infinity,
  change: (bytes: Uint8Array) => Uint8Array = (all) => all,
): Answer {
  let attempt = 0;
  return (request, response) => {
    const [, first = "0", last = ""] =
      /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
    const isPart = request.headers.range !== undefined;
    const end = last === "" ? bytes.byteLength : Number(last) + 1;
    const part = change(bytes).subarray(Number(first), end);
    response.writeHead(isPart ? 206 : 200, {
      ...headers,
      "content-length": part.byteLength,
      ...(isPart ? { "content-range": `bytes ${first}-${end - 1}/${bytes.byteLength}` } : {}),
    });
    const limit = sent(attempt++);
    if (request.method === "HEAD") response.end();
    else if (limit >= part.byteLength) response.end(part);
    else response.write(part.subarray(0, limit), () => setTimeout(() => response.destroy(), 5));
  };
}
