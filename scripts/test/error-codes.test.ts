import { expect, test } from "vitest";

import { findErrorCodeProblems, parseErrorRows } from "../checks/error-codes.ts";

const meanings = { tag_not_found: "No tag has that name.", closed: "The instance is closed." };
const page = `
| code            | meaning                 | exit | HTTP | what to do     |
| --------------- | ----------------------- | ---- | ---- | -------------- |
| \`tag_not_found\` | No tag has that name.   | 3    | 404  | List the tags. |
| \`closed\`        | The instance is closed. | 7    | 503  | Open it again. |
`;

function findIn(markdown: string): readonly string[] {
  return findErrorCodeProblems(parseErrorRows(markdown), meanings);
}

test("a page that holds every code and no other has no problem", () => {
  expect(findIn(page)).toEqual([]);
});

test.each([
  ["a code without a row", /^.*closed.*\n/m, "", "closed has no row"],
  ["a row without a code", "`closed`", "`shut`", "shut is not one of storeErrorCodes"],
  ["a second row", /^.*closed.*\n/m, "$&$&", "closed has two rows"],
  ["another meaning", "No tag", "No flag", 'means "No tag has that name."'],
  ["an unknown exit code", "| 3 ", "| 9 ", 'exit code "9"'],
  ["an HTTP status that is no error", "404", "200", 'HTTP status "200"'],
  ["no advice", "List the tags.", "", "tag_not_found does not say what to do"],
])("%s is found", (_, from, to, problem) => {
  expect(findIn(page.replace(from, to))).toContainEqual(expect.stringContaining(problem));
});
