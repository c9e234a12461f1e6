// Bundles the command line into `dist`, one chunk a command, so that nothing is loaded that a command
// does not use; and puts beside it what is read at run time: migrations and oclif's manifest. Given
// a folder, all of that is made there.
import { cp, glob, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";

import { Plugin } from "@oclif/core/config";
import { build } from "esbuild";

import packageJson from "./package.json" with { type: "json" };
import { commandLineConfiguration } from "./src/lib/command-line.ts";

const source = import.meta.dirname;
const root = resolve(process.argv[2] ?? source);

for (const made of ["dist", "migrations", "oclif.manifest.json"]) {
  await rm(join(root, made), { recursive: true, force: true });
}

const commands = await Array.fromAsync(glob("src/commands/**/*.ts", { cwd: source }));
await build({
  absWorkingDir: source,
  entryPoints: [
    { in: "bin/store.ts", out: "store" },
    ...commands.map((path) => ({ in: path, out: path.replace(/^src\/(.*)\.ts$/, "$1") })),
    // A worker is loaded from beside the chunk that starts it.
    { in: "../../packages/storage/src/lib/hashing/hash-worker.ts", out: "chunks/hash-worker" },
    { in: "../../packages/registry/src/lib/metadata-worker.ts", out: "chunks/metadata-worker" },
  ],
  outdir: join(root, "dist"),
  chunkNames: "chunks/[name]-[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node24",
  // Native addons are installed beside the bundle. The others are looked for by oclif, in development
  // only.
  external: ["@napi-rs/blake-hash", "@node-rs/argon2", "typescript", "ts-node", "tsx"],
  // CommonJS inside of the bundle asks for these.
  banner: {
    js: [
      'import { createRequire as createRequire_ } from "node:module";',
      "const require = createRequire_(import.meta.url);",
      "const { filename: __filename, dirname: __dirname } = import.meta;",
    ].join("\n"),
  },
});

await cp(join(source, "../../packages/database/migrations"), join(root, "migrations"), {
  recursive: true,
});

const plugin = new Plugin({
  root,
  isRoot: true,
  errorOnManifestCreate: true,
  pjson: commandLineConfiguration(packageJson.version, "./dist/commands"),
});
await plugin.load();
await writeFile(join(root, "oclif.manifest.json"), `${JSON.stringify(plugin.manifest)}\n`);
