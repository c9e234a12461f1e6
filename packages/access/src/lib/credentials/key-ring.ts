import type { Database, Row } from "@store/database";
import { StoreError } from "@store/identity";
import { exportJWK, generateKeyPair, importJWK, type CryptoKey } from "jose";
import { desc, isNull } from "drizzle-orm";

/** The one algorithm that signs; what a token's header says is held against it. */
export const algorithm = "EdDSA";

export interface VerifyingKey {
  readonly id: string;
  readonly publicKey: CryptoKey;
  readonly retiredAtMs?: number;
}

export interface SigningKey {
  readonly id: string;
  readonly privateKey: CryptoKey;
}

type KeyRow = Row<"signingKeys">;

/** How old what is known of the keys may be: another process may have retired one. */
const freshMs = 5_000;
/** How often keys are read again for one that is unknown, so that inventing ids costs little. */
const retryMs = 1_000;

/** The keys of an instance as this process knows them, and the one that signs now. */
export class KeyRing {
  readonly #database: Database;
  readonly #clock: () => number;
  #keys = new Map<string, VerifyingKey>();
  #signing: (SigningKey & { readonly row: string }) | undefined;
  #readAt = -Infinity;
  #soughtAt = -Infinity;
  #reading: Promise<void> | undefined;

  constructor(database: Database, clock: () => number) {
    this.#database = database;
    this.#clock = clock;
  }

  /** The key with this id; one that is unknown makes the keys be read again, once a second. */
  async find(id: string): Promise<VerifyingKey | undefined> {
    if (this.#isPast(this.#readAt, freshMs)) await this.#read();
    if (!this.#keys.has(id) && this.#isPast(this.#soughtAt, retryMs)) {
      this.#soughtAt = this.#clock();
      await this.#read();
    }
    return this.#keys.get(id);
  }

  /** The key that signs now, whichever process made it. */
  async signing(): Promise<SigningKey> {
    const { reader, tables } = this.#database;
    const { signingKeys } = tables;
    const [row] = await reader
      .select()
      .from(signingKeys)
      .where(isNull(signingKeys.retiredAt))
      .orderBy(desc(signingKeys.keyId))
      .limit(1);
    if (row === undefined) throw new StoreError("internal", "The instance has no signing key.");
    if (this.#signing?.row === row.privateKey) return this.#signing;
    const privateKey = await importKey(row.privateKey);
    this.#signing = { id: row.keyId, privateKey, row: row.privateKey };
    return this.#signing;
  }

  /** Makes the next look read the keys again. */
  forget(): void {
    this.#readAt = -Infinity;
  }

  #isPast(timeMs: number, afterMs: number): boolean {
    const age = this.#clock() - timeMs;
    return age >= afterMs || age < 0;
  }

  #read(): Promise<void> {
    this.#reading ??= this.#readKeys().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #readKeys(): Promise<void> {
    const { reader, tables } = this.#database;
    const rows = await reader.select().from(tables.signingKeys);
    const keys = await Promise.all(rows.map(verifyingKey));
    this.#keys = new Map(keys.map((key) => [key.id, key]));
    this.#readAt = this.#clock();
  }
}

/** A new key, as it is stored: both parts as JWK (RFC 8037). */
export async function newKeyPair(): Promise<Pick<KeyRow, "publicKey" | "privateKey">> {
  const pair = await generateKeyPair(algorithm, { crv: "Ed25519", extractable: true });
  return {
    publicKey: JSON.stringify(await exportJWK(pair.publicKey)),
    privateKey: JSON.stringify(await exportJWK(pair.privateKey)),
  };
}

async function verifyingKey({ keyId, publicKey, retiredAt }: KeyRow): Promise<VerifyingKey> {
  return {
    id: keyId,
    publicKey: await importKey(publicKey),
    ...(retiredAt === null ? {} : { retiredAtMs: Date.parse(retiredAt) }),
  };
}

async function importKey(text: string): Promise<CryptoKey> {
  const key = await importJWK(JSON.parse(text), algorithm);
  if (key instanceof Uint8Array) throw new StoreError("internal", "A signing key is no key.");
  return key;
}
