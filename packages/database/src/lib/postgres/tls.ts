/** How a connection to PostgreSQL is secured, in the words of libpq (its documentation, §34.19). */
import { readFile } from "node:fs/promises";
import { isIP, type Socket } from "node:net";
import { StoreError } from "@store/identity";
import { socketEvent } from "./socket-event.ts";
import { type ConnectionOptions, connect as connectTls, getCACertificates } from "node:tls";

const modes = ["disable", "prefer", "require", "verify-ca", "verify-full"] as const;

/** What is asked of the server. */
export type TlsMode = (typeof modes)[number];

/** The parameters of a URL that are about TLS. Files are read at each connection. */
export interface TlsOptions {
  readonly mode: TlsMode;
  /** The file of the authorities that are trusted (PEM), or `system`. */
  readonly rootCertificate?: string;
  /** The file of the client's certificate, and of those between it and an authority. */
  readonly certificate?: string;
  /** The file of its key, without a password. */
  readonly key?: string;
}

/** Takes the parameters of TLS out of `parameters`. */
export function readTlsOptions(parameters: URLSearchParams): TlsOptions {
  const take = (name: string): string | undefined => {
    const value = parameters.get(name) ?? undefined;
    parameters.delete(name);
    return value === "" ? undefined : value;
  };
  if (take("ssl") !== undefined || take("sslnegotiation") !== undefined) {
    throw refused("TLS is asked for by sslmode; neither ssl nor sslnegotiation is known.");
  }
  const [rootCertificate, certificate, key] = [
    take("sslrootcert"),
    take("sslcert"),
    take("sslkey"),
  ];
  const fallback = rootCertificate === "system" ? "verify-full" : "prefer";
  const mode = modeNamed(take("sslmode") ?? fallback, rootCertificate);
  if ((certificate === undefined) !== (key === undefined)) {
    throw refused("sslcert and sslkey belong together; give both or neither.");
  }
  return {
    mode,
    ...(rootCertificate !== undefined && { rootCertificate }),
    ...(certificate !== undefined && { certificate }),
    ...(key !== undefined && { key }),
  };
}

function modeNamed(name: string, rootCertificate: string | undefined): TlsMode {
  const mode = modes.find((known) => known === name);
  if (mode === undefined) {
    throw new StoreError("invalid_argument", `sslmode is one of ${modes.join(", ")}.`, {
      context: { actual: name },
    });
  }
  if (rootCertificate === "system" && mode !== "verify-full") {
    throw refused("sslrootcert=system trusts every public authority, so it needs verify-full.");
  }
  // As in libpq: who names authorities and asks for encryption wants them checked.
  return mode === "require" && rootCertificate !== undefined ? "verify-ca" : mode;
}

function refused(message: string): StoreError {
  return new StoreError("invalid_argument", message);
}

/** The message that asks for TLS: its length, and 1234 5679 (PostgreSQL documentation, §54.7). */
const tlsRequest = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);
const offered = "S".charCodeAt(0);
const notOffered = "N".charCodeAt(0);

/**
 * Asks the server at the other end of `socket` for TLS as `tls` says, and resolves to what is to
 * be spoken on. Rejects with `database_unavailable` where it is not offered or not trusted, with
 * `invalid_argument` where a file cannot be read, and with what the socket fails with.
 */
export async function secure(socket: Socket, host: string, tls: TlsOptions): Promise<Socket> {
  if (tls.mode === "disable") return socket;
  const options = await handshakeOptions(host, tls);
  const answer = await ask(socket);
  if (answer === notOffered && tls.mode === "prefer") return socket;
  if (answer !== offered) {
    throw new StoreError(
      "database_unavailable",
      `PostgreSQL does not offer TLS, and sslmode=${tls.mode} asks for it; turn it on in the server.`,
    );
  }
  return await shakeHands({ ...options, socket });
}

async function ask(socket: Socket): Promise<number | undefined> {
  socket.write(tlsRequest);
  const bytes = await socketEvent(socket, "data");
  if (bytes instanceof Uint8Array && bytes.length === 1) return bytes[0];
  // More than one byte was not sent by whom the handshake is going to verify (CVE-2021-23222).
  throw new StoreError(
    "database_unavailable",
    "PostgreSQL said more than it was asked before TLS began; somebody may stand in between.",
  );
}

async function shakeHands(options: ConnectionOptions): Promise<Socket> {
  const secured = connectTls(options);
  try {
    await socketEvent(secured, "secureConnect");
    return secured;
  } catch (error) {
    secured.on("error", () => undefined);
    const detail = error instanceof Error ? error.message : String(error);
    throw new StoreError(
      "database_unavailable",
      `TLS with PostgreSQL failed (${detail}); check sslmode and sslrootcert.`,
      { cause: error },
    );
  }
}

async function handshakeOptions(host: string, tls: TlsOptions): Promise<ConnectionOptions> {
  const [ca, cert, key] = await Promise.all([
    authorities(tls.rootCertificate),
    read("sslcert", tls.certificate),
    read("sslkey", tls.key),
  ]);
  const verified = tls.mode === "verify-ca" || tls.mode === "verify-full";
  return {
    host,
    // A server name is no address (RFC 6066 §3).
    ...(isIP(host) === 0 && { servername: host }),
    ALPNProtocols: ["postgresql"],
    minVersion: "TLSv1.2",
    rejectUnauthorized: verified,
    ...(tls.mode !== "verify-full" && { checkServerIdentity: () => undefined }),
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  };
}

async function authorities(file: string | undefined): Promise<Buffer | string[] | undefined> {
  if (file !== "system") return await read("sslrootcert", file);
  return [...getCACertificates("default"), ...getCACertificates("system")];
}

async function read(parameter: string, file: string | undefined): Promise<Buffer | undefined> {
  if (file === undefined) return undefined;
  try {
    return await readFile(file);
  } catch (error) {
    throw new StoreError(
      "invalid_argument",
      `The file that ${parameter} names cannot be read: ${file}.`,
      { cause: error, context: { path: file } },
    );
  }
}
