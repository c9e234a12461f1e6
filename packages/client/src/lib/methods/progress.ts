import { isBlob, isRestartable, type RequestBody } from "../http/transport.ts";

/**
 * What opens a body, and tells how much of it was taken. Of a `Blob` nothing is told but its size
 * at the end, since the platform sends it itself.
 */
export function counted(
  source: RequestBody | (() => RequestBody),
  onProgress: ((sizeBytes: number) => void) | undefined,
): () => RequestBody {
  return () => {
    const body = typeof source === "function" ? source() : begun(source);
    if (onProgress === undefined) return body;
    if (typeof body === "string" || body instanceof Uint8Array || isBlob(body)) return body;
    return counting(body, onProgress);
  };
}

function begun(source: RequestBody): RequestBody {
  return isRestartable(source) ? source.restart() : source;
}

async function* counting(
  source: AsyncIterable<Uint8Array>,
  onProgress: (sizeBytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let sizeBytes = 0;
  for await (const chunk of source) {
    yield chunk;
    // Asked for the next: this one was taken.
    sizeBytes += chunk.byteLength;
    onProgress(sizeBytes);
  }
}
