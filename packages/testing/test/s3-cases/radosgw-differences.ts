/**
 * Where `radosgw` 16.2 behaves otherwise than AWS, by the case's name, with the reason. The run
 * against it expects these cases to fail, and all others to hold.
 */
export const radosgwDifferences: ReadonlyMap<string, string> = new Map([]);
