import { enableCompileCache } from "node:module";

// fsync and not copying bounds many small files: let more of them wait at once. Only what starts
// before the first wait for the disk counts, since libuv sizes its pool then.
process.env.UV_THREADPOOL_SIZE ??= "16";

enableCompileCache();
