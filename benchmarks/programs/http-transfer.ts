import { mkdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { callJson, download, upload } from "../lib/http-client.ts";
import type { ProgramContext } from "../lib/program.ts";
import { makeNew, randomBytes } from "../lib/random-bytes.ts";
import { interleave, secondsOf } from "../lib/rounds.ts";
import { startServerProcess } from "../lib/server-process.ts";

export const title = "a file of 1 GiB over HTTP, to local disk and back";

const mebibyte = 1024 * 1024;
const poolBytes = 64 * mebibyte;

export async function run({ report, scratch, quick }: ProgramContext): Promise<void> {
  const sizeBytes = (quick ? 256 : 1024) * mebibyte;
  const pool = randomBytes(poolBytes);
  const plainFolder = join(scratch, "plain");
  mkdirSync(plainFolder);
  await writeFile(join(plainFolder, "sent"), chunksOf(pool, sizeBytes));

  await using store = await startServerProcess("store-server", join(scratch, "store"));
  await using plain = await startServerProcess("plain-server", plainFolder);
  const { token } = store;
  const coordinates = { namespace: "acme", name: "large", version: "1.0.0" };
  const opened = { method: "POST", url: `${store.url}/api/v1/packages`, token, json: coordinates };
  const { id } = await callJson<{ id: string }>(opened);
  const files = `${store.url}/api/v1/packages/${id}/files`;
  await upload(
    { method: "PUT", url: `${files}/sent`, token },
    chunksOf(pool, sizeBytes),
    sizeBytes,
  );

  const megabytesPerSecond = async (work: () => Promise<unknown>) =>
    sizeBytes / 1e6 / (await secondsOf(work));
  const send = (url: string, method: string, credential?: string) => {
    makeNew(pool);
    const call = { method, url, ...(credential === undefined ? {} : { token: credential }) };
    return megabytesPerSecond(() => upload(call, chunksOf(pool, sizeBytes), sizeBytes));
  };
  const receive = (url: string, credential?: string) =>
    megabytesPerSecond(async () => {
      const call = {
        method: "GET",
        url,
        ...(credential === undefined ? {} : { token: credential }),
      };
      if ((await download(call)) !== sizeBytes) throw new Error("Bytes are missing.");
    });

  const figures = await interleave(
    {
      upload: (round) => send(`${files}/upload-${round}`, "PUT", token),
      plainUpload: () => send(`${plain.url}/written`, "POST"),
      durableUpload: () => send(`${plain.url}/durable`, "POST"),
      download: () => receive(`${files}/sent`, token),
      plainDownload: () => receive(`${plain.url}/sent`),
    },
    { rounds: quick ? 3 : 7 },
  );

  const size = `${sizeBytes / mebibyte} MiB`;
  const aim = { ratio: 0.85 };
  report.add({
    name: `upload ${size}`,
    unit: "MB/s",
    ours: figures.upload,
    floors: {
      "node:http, written": figures.plainUpload,
      "node:http, written and fsync": figures.durableUpload,
    },
    aim,
  });
  report.add({
    name: `download ${size}, verified`,
    unit: "MB/s",
    ours: figures.download,
    floors: { "node:http, sent by 1 MiB": figures.plainDownload },
    aim,
  });
  report.note(
    "Server and client are processes of one machine and share its cores. Store makes two digests " +
      "of what is uploaded, writes it and waits for fsync, then records it in a durable " +
      "transaction; what is downloaded is hashed on its way. The floors do none of this but what " +
      "their names say.",
  );
}

function* chunksOf(pool: Uint8Array, sizeBytes: number): Generator<Uint8Array> {
  for (let sent = 0; sent < sizeBytes; sent += mebibyte) {
    const start = sent % pool.length;
    yield pool.subarray(start, start + mebibyte);
  }
}
