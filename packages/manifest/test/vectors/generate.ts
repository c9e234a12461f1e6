/**
 * Writes `vectors/*.json`: `node packages/manifest/test/vectors/generate.ts`.
 *
 * The vectors are frozen: they are what digests are made of. A case that is there already is
 * never changed; where this program would give another one it fails. Bytes come from `cbor2` and
 * projections from a naive writer, not from the code that the vectors test.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { cborVectors } from "./cbor-cases.ts";
import { jcsVectors } from "./jcs-cases.ts";
import { manifestVectors } from "./manifest-cases.ts";

type Cases = readonly ({ readonly name: string } & object)[];
type VectorFile = Readonly<Record<string, string | Cases>>;

const folder = new URL("../../vectors/", import.meta.url);

function writeFrozen(fileName: string, vectors: VectorFile): void {
  const url = new URL(fileName, folder);
  const text = `${JSON.stringify(vectors, undefined, 2)}\n`;
  const frozen = readIfPresent(url);
  for (const [group, cases] of Object.entries(frozen)) {
    if (typeof cases === "string") continue;
    const now = vectors[group];
    for (const old of cases) {
      const next = Array.isArray(now) ? now.find(({ name }) => name === old.name) : undefined;
      if (JSON.stringify(next) === JSON.stringify(old)) continue;
      throw new Error(`${fileName}: "${old.name}" in "${group}" would change, but it is frozen.`);
    }
  }
  writeFileSync(url, text);
}

function readIfPresent(url: URL): VectorFile {
  try {
    const vectors: VectorFile = JSON.parse(readFileSync(url, "utf8"));
    return vectors;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return {};
    throw error;
  }
}

writeFrozen("cbor.json", cborVectors());
writeFrozen("jcs.json", jcsVectors());
writeFrozen("manifest.json", await manifestVectors());
