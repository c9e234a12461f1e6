import { localPrincipal, type Access } from "@store/access";
import { openRegistry } from "@store/registry";
import { startServer } from "@store/server";
import { readSettings } from "@store/server/runtime";
import { openLocalStorage } from "@store/storage-local";

/**
 * Serves the instance in the folder that the first argument names, to everybody, as a process that
 * a test may kill. Says where, as one line, and ends well on SIGTERM.
 */
const [folder = ""] = process.argv.slice(2);
const primary = await openLocalStorage({ root: `${folder}/objects` });
const registry = await openRegistry({
  database: `sqlite:${folder}/store.db`,
  backends: { primary },
  actor: "tester",
  uploadLockMs: 1000,
});
const access: Pick<Access, "authenticate" | "recordRefusal"> = {
  authenticate: async () => localPrincipal("tester"),
  recordRefusal: () => undefined,
};
const server = await startServer({
  service: { registry, access: access as Access },
  settings: readSettings({ host: "127.0.0.1", port: 0 }, {}),
});

process.once("SIGTERM", () => {
  void server
    .close()
    .then(() => registry.close())
    .then(() => primary.close());
});
process.stdout.write(`${server.url}\n`);
