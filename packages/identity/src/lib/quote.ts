const quotedLimit = 80;

/** The input as an error message shows it: quoted, control characters escaped, never long. */
export function quote(value: unknown): string {
  if (typeof value !== "string") return value === null ? "null" : `a value of type ${typeof value}`;
  // JSON leaves the control characters above ASCII as they are.
  return JSON.stringify(shorten(value)).replace(/\p{Cc}/gu, escaped);
}

/** The input as an error's context holds it: what it was, but never long. */
export function shorten(value: string): string {
  return value.length <= quotedLimit ? value : `${value.slice(0, quotedLimit)}…`;
}

function escaped(character: string): string {
  return `\\u00${character.charCodeAt(0).toString(16)}`;
}
