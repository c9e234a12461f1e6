/** Paragraphs without the line breaks of the source, so that help can break lines where it likes. */
export function prose(text: string): string {
  const paragraphs = text.trim().split(/\n\s*\n/);
  return paragraphs.map((paragraph) => paragraph.replaceAll(/\s*\n\s*/g, " ")).join("\n\n");
}
