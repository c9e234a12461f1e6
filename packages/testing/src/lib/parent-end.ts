/** Resolves when standard input ends, and so the parent that holds it, however it died. */
export async function parentEnd(): Promise<void> {
  // Ctrl-C reaches the whole group; the end of standard input follows when the parent is done.
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", () => undefined);
  // A parent that is gone reads nothing.
  process.stdout.on("error", () => undefined);
  await new Promise<void>((resolve) => {
    process.stdin
      .once("end", () => resolve())
      .once("error", () => resolve())
      .resume();
  });
}
