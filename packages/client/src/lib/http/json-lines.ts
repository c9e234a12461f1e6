import { wrongAnswer } from "./failures.ts";

/** A longer line is none that a route gives. */
const lineLimitCharacters = 4 * 1024 * 1024;

/**
 * The values of lines of JSON, each as soon as its line has ended.
 *
 * @throws {StoreError} `internal` for a line that is not JSON, or too long
 */
export async function* jsonLines(bytes: AsyncIterable<Uint8Array>, what: string): AsyncGenerator {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of bytes) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > lineLimitCharacters) throw wrongAnswer(what, "a line has no end");
    for (const line of lines) if (line.trim() !== "") yield parsed(line, what);
  }
}

function parsed(line: string, what: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw wrongAnswer(what, "a line is not JSON", error);
  }
}
