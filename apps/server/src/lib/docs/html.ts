/** Markup that may be put into a page as it is. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Part = Html | string | number | readonly Html[];

/** Builds markup; whatever is no markup already is escaped. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  let text = strings[0] ?? "";
  for (const [index, part] of parts.entries()) {
    text += markupOf(part) + (strings[index + 1] ?? "");
  }
  return new Html(text);
}

function markupOf(part: Part): string {
  if (part instanceof Html) return part.text;
  if (typeof part === "string" || typeof part === "number") return escapeHtml(String(part));
  return part.map((one) => one.text).join("");
}

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => escapes[character] ?? "");
}

/** Prose in which `code` is marked by backquotes. */
export function prose(text: string): Html {
  const parts = text.split("`").map((part, index) => {
    return index % 2 === 1 ? html`<code>${part}</code>` : html`${part}`;
  });
  return html`${parts}`;
}
