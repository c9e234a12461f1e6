import { assertFilePath, StoreError } from "@store/identity";

/** The values of a path's parameters, or of a query, by name. */
type Values = Readonly<Record<string, string | undefined>>;

/**
 * The path and query of a request. `{path}` keeps its slashes, as it is a file's path; everything
 * else is one segment, whatever is in it.
 *
 * @throws {StoreError} `invalid_path` for what is no file's path, `invalid_argument` where a value
 *   would be read as another place
 */
export function requestPath(template: string, params: Values, query: Values): string {
  const path = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = params[name] ?? "";
    return name === "path" ? filePath(value) : segment(name, value);
  });
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [`${encode(name, name)}=${encode(name, value)}`],
  );
  return pairs.length === 0 ? path : `${path}?${pairs.join("&")}`;
}

function filePath(path: string): string {
  // URLs have their own idea of `.` and `..`, so nothing of the kind may get into one.
  assertFilePath(path);
  return path
    .split("/")
    .map((part) => encode("path", part))
    .join("/");
}

function segment(name: string, value: string): string {
  if (value !== "" && value !== "." && value !== "..") return encode(name, value);
  throw new StoreError("invalid_argument", `The ${name} cannot be "${value}".`, {
    context: { actual: value },
  });
}

function encode(name: string, value: string): string {
  try {
    return encodeURIComponent(value);
  } catch (cause) {
    throw new StoreError("invalid_argument", `The ${name} holds half a character.`, { cause });
  }
}

/**
 * The server's address without a trailing slash; a path in it is kept, for servers behind a proxy.
 *
 * @throws {StoreError} `invalid_argument` unless it is an `http:` or `https:` URL without query,
 *   fragment and credentials
 */
export function serverUrl(url: string | URL): string {
  const parsed = URL.parse(String(url));
  const isPlain =
    parsed !== null &&
    /^https?:$/.test(parsed.protocol) &&
    parsed.search === "" &&
    parsed.hash === "" &&
    parsed.username === "" &&
    parsed.password === "";
  if (isPlain) return parsed.href.replace(/\/+$/, "");
  throw new StoreError(
    "invalid_argument",
    "The server's url must be http: or https:, without credentials, query and fragment.",
  );
}
