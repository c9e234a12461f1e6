import { Readable } from "node:stream";
import { createRequire } from "node:module";
import { S3Client, GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { openS3Storage } from "@store/storage-s3";
import { addressOf, sampleBytes } from "@store/storage/conformance";
import { startS3DoubleProcess } from "@store/testing/s3-double-process";
const require = createRequire(import.meta.resolve("../testing/package.json"));
const { Upload } = require("@aws-sdk/lib-storage");
const what = process.argv[2] ?? "all";
const MIB = 1024 ** 2;
const total = Number(process.argv[3] ?? 1024);
const double = await startS3DoubleProcess();
const { endpoint, region, bucket, credentials } = double;
const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
const backend = await openS3Storage({
  endpoint,
  region,
  bucket,
  credentials,
  pathStyle: true,
  prefix: "x",
});
const slab = Buffer.from(sampleBytes(MIB));
let n = 0;
function* source(mib: number) {
  for (let i = 0; i < mib; i++) yield slab;
}
const address = () => `blake3:${(n++).toString(16).padStart(64, "0")}` as any;
async function time(name: string, work: () => Promise<unknown>) {
  const c = process.cpuUsage();
  const t = performance.now();
  await work();
  const ms = performance.now() - t;
  const u = process.cpuUsage(c);
  return { name, ms: Math.round(ms), cpu: Math.round((u.user + u.system) / 1000) };
}
async function ours(mib: number, claim: boolean) {
  const a = address();
  const s = await backend.stage({ lease: "m", ...(claim ? { claim: a } : {}) });
  for (const c of source(mib)) await s.write(c);
  await s.commit(a);
  return a;
}
async function bare(mib: number) {
  const u = new Upload({
    client,
    params: { Bucket: bucket, Key: `bare${n++}`, Body: Readable.from(source(mib)) },
    queueSize: 4,
    partSize: 8 * MIB,
  });
  await u.done();
}
for (let round = 0; round < 3; round++) {
  if (what === "all" || what === "large") {
    console.log(await time("bare upload", () => bare(total)));
    let a: any;
    console.log(
      await time("ours claimed", async () => {
        a = await ours(total, true);
      }),
    );
    console.log(await time("ours unclaimed", () => ours(total, false)));
    const key = `x/blake3/00/00/${a.slice(7)}`;
    console.log(
      await time("bare read", async () => {
        const r = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
        let k = 0;
        for await (const c of r.Body as any) k += c.length;
        if (k !== total * MIB) throw 1;
      }),
    );
    console.log(
      await time("ours read", async () => {
        let k = 0;
        for await (const c of backend.open(a)) k += c.length;
        if (k !== total * MIB) throw 1;
      }),
    );
    console.log(
      await time("ours read reuse", async () => {
        let k = 0;
        for await (const c of backend.open(a, { reuseChunks: true })) k += c.length;
        if (k !== total * MIB) throw 1;
      }),
    );
  }
  if (what === "all" || what === "small") {
    const count = 6000;
    const small = Buffer.from(sampleBytes(4096));
    const list: any[] = [];
    const pool = async (f: () => Promise<unknown>) => {
      let left = count;
      await Promise.all(
        Array.from({ length: 64 }, async () => {
          while (left-- > 0) await f();
        }),
      );
    };
    const { createHash } = await import("node:crypto");
    console.log(
      await time("bare small put", () =>
        pool(() =>
          client.send(
            new PutObjectCommand({
              Bucket: bucket,
              Key: `s${n++}`,
              Body: small,
              IfNoneMatch: "*",
              ChecksumSHA256: createHash("sha256").update(small).digest("base64"),
            }),
          ),
        ),
      ),
    );
    console.log(
      await time("ours small put", () =>
        pool(async () => {
          const a = address();
          list.push(a);
          const s = await backend.stage({ lease: "m" });
          await s.write(small);
          await s.commit(a);
        }),
      ),
    );
    let i = 0;
    const keys = list.map((a) => `x/blake3/00/00/${a.slice(7)}`);
    console.log(
      await time("bare small get", () =>
        pool(async () => {
          const r = await client.send(
            new GetObjectCommand({ Bucket: bucket, Key: keys[i++ % keys.length] }),
          );
          for await (const c of r.Body as any) c.length;
        }),
      ),
    );
    console.log(
      await time("ours small get", () =>
        pool(async () => {
          for await (const c of backend.open(list[i++ % list.length])) c.length;
        }),
      ),
    );
  }
}
await backend.close();
await double.close();
process.exit(0);
