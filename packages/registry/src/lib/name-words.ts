/**
 * The words by which a name is searched, each once and in order: what ".", "_" and "-" separate in
 * its namespace and its name, and both as a whole. The migration `0002_service` says the same in
 * SQL.
 */
export function nameWords(named: { readonly namespace: string; readonly name: string }): string[] {
  const whole = [named.namespace, named.name];
  const parts = whole.flatMap((text) => text.split(/[._-]/)).filter((part) => part !== "");
  return [...new Set([...whole, ...parts])].sort();
}
