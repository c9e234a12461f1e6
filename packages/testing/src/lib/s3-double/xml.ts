const namespace = "http://s3.amazonaws.com/doc/2006-03-01/";

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

/** Text as the content of an element; control characters as references, as AWS writes them. */
function escapeText(text: string): string {
  // oxlint-disable-next-line no-control-regex -- keys may hold them
  return text.replace(/[&<>"\u0000-\u001f\u007f]/gu, (character) => {
    return escapes[character] ?? `&#x${character.charCodeAt(0).toString(16)};`;
  });
}

/** `<name>text</name>`. */
export function element(name: string, text: string | number | boolean): string {
  return `<${name}>${escapeText(String(text))}</${name}>`;
}

/** `<name>…</name>` around elements that are written already. */
export function group(name: string, children: readonly string[]): string {
  return `<${name}>${children.join("")}</${name}>`;
}

/** A document of S3; error documents have no namespace. */
export function xmlDocument(
  root: string,
  children: readonly string[],
  withNamespace = true,
): string {
  const attribute = withNamespace ? ` xmlns="${namespace}"` : "";
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}${attribute}>${children.join("")}</${root}>`;
}

/** An element that was read: its text, and the elements in it. */
export interface XmlElement {
  readonly name: string;
  readonly text: string;
  readonly children: readonly XmlElement[];
}

interface OpenElement {
  readonly name: string;
  text: string;
  readonly children: XmlElement[];
}

const token = /<\?[^>]*\?>|<!--[\s\S]*?-->|<(\/?)([A-Za-z_][\w:.-]*)([^<>]*?)(\/?)>|([^<]+)/gy;

/**
 * Reads the small documents that clients send: elements, text, the five entities and numeric
 * references. Returns nothing where the text is not well-formed, or declares entities.
 */
export function parseXml(source: string): XmlElement | undefined {
  const top: OpenElement = { name: "", text: "", children: [] };
  const open: OpenElement[] = [top];
  token.lastIndex = 0;
  while (token.lastIndex < source.length) {
    const found = token.exec(source);
    if (found === null) return undefined;
    const [, slash, name, , empty, text] = found;
    const inner = open.at(-1) ?? top;
    if (text !== undefined) inner.text += unescapeText(text);
    if (name === undefined) continue;
    if (slash === "/") {
      if (inner.name !== name || open.length === 1) return undefined;
      open.pop();
      continue;
    }
    const begun: OpenElement = { name, text: "", children: [] };
    inner.children.push(begun);
    if (empty !== "/") open.push(begun);
  }
  const [root, ...others] = top.children;
  return open.length === 1 && others.length === 0 && top.text.trim() === "" ? root : undefined;
}

const entities: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
};

function unescapeText(text: string): string {
  return text.replace(/&(?:#x([0-9a-fA-F]+)|#(\d+)|(\w+));/gu, (whole, hex, decimal, name) => {
    if (typeof hex === "string") return String.fromCodePoint(Number.parseInt(hex, 16));
    if (typeof decimal === "string") return String.fromCodePoint(Number(decimal));
    return entities[String(name)] ?? whole;
  });
}

/** The first child with this name. */
export function child(parent: XmlElement, name: string): XmlElement | undefined {
  return parent.children.find((each) => each.name === name);
}

/** The text of the first child with this name, without white space around it. */
export function childText(parent: XmlElement, name: string): string | undefined {
  return child(parent, name)?.text.trim();
}
