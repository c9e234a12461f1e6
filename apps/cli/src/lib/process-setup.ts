import module from "node:module";

const [major = 0] = process.versions.node.split(".").map(Number);
if (major < 24) {
  // Said before anything is loaded that an older Node.js cannot even parse.
  process.stderr.write(`error: store needs Node.js 24 or later; this is ${process.version}.\n`);
  process.exit(1);
}

// fsync and not copying bounds many small files: let more of them wait at once. Only what is set
// before the first wait for the disk counts, since libuv sizes its pool then.
process.env.UV_THREADPOOL_SIZE ??= "16";

module.enableCompileCache();
