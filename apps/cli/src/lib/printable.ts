// eslint-disable-next-line no-control-regex
const controlPattern = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** A text that cannot steer the terminal: control characters are shown as `\x1b`. */
export function printable(text: string): string {
  return text.replaceAll(controlPattern, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}
