import { printBytes } from "./output.ts";

/**
 * Prints one JSON document that holds lists of any length, page by page, after other members:
 * `{"package":{…},"files":[…]}`.
 */
export async function printLists(
  lists: Readonly<Record<string, AsyncIterable<readonly object[]>>>,
  members: object = {},
): Promise<void> {
  let text = JSON.stringify(members).slice(0, -1);
  for (const [name, pages] of Object.entries(lists)) {
    text += `${text === "{" ? "" : ","}${JSON.stringify(name)}:[`;
    let isFirst = true;
    for await (const page of pages) {
      for (const item of page) {
        text += (isFirst ? "" : ",") + JSON.stringify(item);
        isFirst = false;
      }
      await printBytes(text);
      text = "";
    }
    text += "]";
  }
  await printBytes(`${text}}\n`);
}

/** Pages with each item in another form. */
export async function* mapPages<T, U>(
  pages: AsyncIterable<readonly T[]>,
  transform: (item: T) => U,
): AsyncGenerator<readonly U[]> {
  for await (const page of pages) yield page.map((item) => transform(item));
}
