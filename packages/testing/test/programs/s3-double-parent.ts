/** Starts a double as a process, says which, and waits to be killed. */
import { startS3DoubleProcess } from "../../src/s3-double-process.ts";

const double = await startS3DoubleProcess({ maximumLifeMs: 60_000 });
process.stdout.write(`${double.pid}\n`);
setTimeout(() => void double.close(), 30_000);
