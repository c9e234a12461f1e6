/** Certificates (X.509, RFC 5280) for tests, made here: a machine need not have OpenSSL's program. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";

/** A certificate and its key, as PEM. */
export interface Certificate {
  readonly name: string;
  readonly pem: string;
  readonly keyPem: string;
  readonly key: KeyObject;
}

export interface CertificateOptions {
  /** Who vouches for it; itself, as an authority, unless given. */
  readonly issuer?: Certificate;
  /** The name of a host that it is for. */
  readonly host?: string;
  /** Whether it is for clients. */
  readonly forClients?: boolean;
}

const dayMs = 86_400_000;
const oid = {
  commonName: "550403",
  ecdsaWithSha256: "2a8648ce3d040302",
  subjectAltName: "551d11",
  basicConstraints: "551d13",
  extendedKeyUsage: "551d25",
  clientAuth: "2b06010505070302",
};

/** Makes a key on P-256 and a certificate for it, from yesterday to tomorrow. */
export function makeCertificate(name: string, options: CertificateOptions = {}): Certificate {
  const { privateKey: key, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const issuer = options.issuer ?? { name, key };
  const algorithm = sequence(identifier(oid.ecdsaWithSha256));
  const signed = sequence(
    tagged(0xa0, integer(Buffer.of(2))),
    // Its first bit is not set, so that it is not negative.
    integer(Buffer.concat([Buffer.of(1), randomBytes(15)])),
    algorithm,
    distinguishedName(issuer.name),
    sequence(time(Date.now() - dayMs), time(Date.now() + dayMs)),
    distinguishedName(name),
    publicKey.export({ type: "spki", format: "der" }),
    tagged(0xa3, sequence(...extensions(options))),
  );
  const signature = tagged(0x03, Buffer.of(0), sign("sha256", signed, issuer.key));
  const der = sequence(signed, algorithm, signature);
  const lines = der.toString("base64").replace(/.{64}(?=.)/g, "$&\n");
  return {
    name,
    pem: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    keyPem: key.export({ type: "pkcs8", format: "pem" }).toString(),
    key,
  };
}

function extensions({ issuer, host, forClients = false }: CertificateOptions): Buffer[] {
  const found: Buffer[] = [];
  if (issuer === undefined) {
    found.push(extension(oid.basicConstraints, sequence(tagged(0x01, Buffer.of(0xff)))));
  }
  if (host !== undefined) {
    found.push(extension(oid.subjectAltName, sequence(tagged(0x82, Buffer.from(host)))));
  }
  if (forClients) {
    found.push(extension(oid.extendedKeyUsage, sequence(identifier(oid.clientAuth))));
  }
  return found;
}

function extension(id: string, value: Buffer): Buffer {
  return sequence(identifier(id), tagged(0x04, value));
}

function distinguishedName(name: string): Buffer {
  const attribute = sequence(identifier(oid.commonName), tagged(0x0c, Buffer.from(name)));
  return sequence(tagged(0x31, attribute));
}

function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/\D/g, "");
  return tagged(0x17, Buffer.from(`${digits.slice(2, 14)}Z`));
}

function identifier(hex: string): Buffer {
  return tagged(0x06, Buffer.from(hex, "hex"));
}

function integer(bytes: Buffer): Buffer {
  return tagged(0x02, bytes);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, ...parts);
}

/** A value of DER (X.690): its tag, its length, and what is in it. */
function tagged(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const long = length > 0xff ? [0x82, length >> 8, length & 0xff] : [0x81, length];
  return Buffer.concat([Buffer.of(tag, ...(length < 0x80 ? [length] : long)), content]);
}
