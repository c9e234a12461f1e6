import { readdir, readFile } from "node:fs/promises";

/** The living processes that another one started. */
export async function childrenOf(processId: number | undefined): Promise<number[]> {
  const children: number[] = [];
  for (const name of await readdir("/proc")) {
    const status = await readFile(`/proc/${name}/stat`, "utf8").catch(() => "");
    // After the command, in brackets: the state, and the parent.
    const [, state, parent] = /\) (\w) (\d+)/.exec(status) ?? [];
    if (Number(parent) === processId && state !== "Z") children.push(Number(name));
  }
  return children;
}
