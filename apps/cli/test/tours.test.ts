import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { createClient } from "@store/client";
import { nodeTransport } from "@store/client/node";
import { describe, expect, it } from "vitest";

import { tourByClient, whole, type TourFiles } from "./client-tour.ts";
import { whyNoCurl } from "./curl.ts";
import { openSite, type Served } from "./served.ts";

const program = join(import.meta.dirname, "programs/tour.sh");
const large = Buffer.from(Uint8Array.from({ length: 5_000_001 }, (_, at) => (at * at) >> 7));
const files: TourFiles = {
  hello: Buffer.from("hello\n"),
  run: Buffer.from("#!/bin/sh\necho hello\n"),
  large: [large.subarray(0, 1_234_567), large.subarray(1_234_567)],
};

describe("the whole tour", () => {
  it.skipIf(whyNoCurl !== "")(
    `learns the same by curl alone and by the client alone, byte for byte${whyNoCurl}`,
    async () => {
      await using curlSite = await openSite();
      await using clientSite = await openSite();
      const [curlServer, clientServer] = await Promise.all([curlSite.serve(), clientSite.serve()]);
      const byCurl = await tourByCurl(curlServer, curlSite.folder);
      const byClient = await tourByClient(clientServer.url, clientServer.setupToken, files);
      expect(byClient.lines).toEqual(byCurl);
      expect(byCurl.length).toBeGreaterThan(35);

      const left = (name: string) => readFile(join(curlSite.folder, name));
      for (const [format, bytes] of Object.entries(byClient.archives)) {
        expect((await left(`package.${format}`)).equals(bytes)).toBe(true);
      }
      const manifest = (await left("manifest.json")).toString();
      expect(timeless(Buffer.from(byClient.manifest).toString())).toBe(timeless(manifest));
      await readAgain(curlServer.url, left);
      for (const server of [curlServer, clientServer]) {
        expect(await server.end()).toMatchObject({ exitCode: 0 });
      }
    },
  );
});

/** What the tour by curl published and downloaded is the same to the client. */
async function readAgain(url: string, left: (name: string) => Promise<Buffer>): Promise<void> {
  const text = async (name: string) => (await left(name)).toString().trim();
  const token = (await text("auth")).replace("Authorization: Bearer ", "");
  const transport = nodeTransport();
  const client = createClient({ url, transport, credential: { token } });
  const id = await text("id");
  expect((await client.getPackage(id)).manifestDigest).toBe(await text("digest"));
  const manifest = await client.getManifestBytes(id, "cbor");
  expect((await left("manifest.cbor")).equals(manifest)).toBe(true);
  for (const format of ["tar", "tar.gz", "zip"] as const) {
    const archive = await whole(await client.getArchive(id, format));
    expect((await left(`package.${format}`)).equals(archive)).toBe(true);
  }
  transport.close();
}

async function tourByCurl({ url, setupToken }: Served, folder: string): Promise<string[]> {
  const [first, second] = files.large;
  const named = {
    "hello.txt": files.hello,
    "run.sh": files.run,
    "large.1": first,
    "large.2": second,
  };
  for (const [name, bytes] of Object.entries(named)) await writeFile(join(folder, name), bytes);
  const { stdout } = await promisify(execFile)("bash", [program], {
    cwd: folder,
    env: {
      PATH: process.env.PATH ?? "",
      HOME: folder,
      STORE: url,
      SETUP_TOKEN: setupToken,
    },
  });
  return stdout.trimEnd().split("\n");
}

/** A manifest's JSON without what tells when it was made, and by whom. */
function timeless(manifest: string): string {
  return manifest
    .replaceAll(/"\d{4}-\d{2}-\d{2}T[\d:.]+Z"/g, '"then"')
    .replaceAll(/"token:[\w-]+"/g, '"somebody"');
}
