/** A database URL that may be shown: without its password and its parameters' values. */
export function redactUrl(url: string): string {
  if (!url.includes("://")) return url;
  try {
    const parsed = new URL(url);
    if (parsed.password) parsed.password = "***";
    for (const name of parsed.searchParams.keys()) parsed.searchParams.set(name, "***");
    return parsed.href;
  } catch {
    return `${url.slice(0, url.indexOf("://"))}://***`;
  }
}
