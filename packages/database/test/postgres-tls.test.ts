import { chmod, chown, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import {
  createTestDatabase,
  type PostgresServer,
  startPostgresServer,
} from "@store/testing/postgres";
import postgres from "postgres";
import { describe, expect, test } from "vitest";
import { openDatabase } from "../src/index.ts";
import { PostgresSessionConnection } from "../src/lib/postgres/connection.ts";
import { parsePostgresUrl } from "../src/lib/postgres/url.ts";
import { makeCertificate } from "./certificates.ts";
import { afterTest, temporaryFolder } from "./dialects.ts";

const nobody = 65_534;

interface Certificates {
  readonly folder: string;
  /** The path of one file of `folder`. */
  path(file: string): string;
}

/** An authority, a server's certificate for `localhost`, a client's, and another authority. */
async function makeCertificates(): Promise<Certificates> {
  const folder = await temporaryFolder();
  await chmod(folder, 0o755);
  const ca = makeCertificate("ca");
  const files = {
    ca,
    other: makeCertificate("other"),
    server: makeCertificate("store", { issuer: ca, host: "localhost" }),
    client: makeCertificate("store", { issuer: ca, forClients: true }),
  };
  for (const [name, { pem, keyPem }] of Object.entries(files)) {
    await writeFile(join(folder, `${name}.pem`), pem);
    await writeFile(join(folder, `${name}.key`), keyPem);
  }
  await chmod(join(folder, "server.key"), 0o600);
  if (process.getuid?.() === 0) await chown(join(folder, "server.key"), nobody, nobody);
  return { folder, path: (file) => join(folder, file) };
}

async function startTlsServer(
  certificates: Certificates,
  settings: readonly string[] = [],
): Promise<PostgresServer> {
  const server = await startPostgresServer({
    settings: [
      "ssl=on",
      `ssl_cert_file=${certificates.path("server.pem")}`,
      `ssl_key_file=${certificates.path("server.key")}`,
      `ssl_ca_file=${certificates.path("ca.pem")}`,
      ...settings,
    ],
  });
  afterTest(() => server.stop());
  return server;
}

/** How a connection with these parameters ends: with TLS, without, or with the code of an error. */
async function connection(url: string, parameters: Record<string, string>): Promise<string> {
  const asked = new URL(url);
  for (const [name, value] of Object.entries(parameters)) asked.searchParams.set(name, value);
  try {
    const session = await PostgresSessionConnection.open(parsePostgresUrl(asked.href));
    const { rows } = await session.batch(
      "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
    );
    await session.close();
    return rows[0]?.[0] === true ? "TLS" : "plain";
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
}

function at(host: string, url: string): string {
  const moved = new URL(url);
  moved.hostname = host;
  return moved.href;
}

test("a server with TLS is spoken to as sslmode asks, and verified as far as it asks", async () => {
  const certificates = await makeCertificates();
  const { url } = await startTlsServer(certificates);
  const named = at("localhost", url);
  const [ca, other] = [certificates.path("ca.pem"), certificates.path("other.pem")];
  expect(await connection(url, {})).toBe("TLS");
  expect(await connection(url, { sslmode: "disable" })).toBe("plain");
  expect(await connection(url, { sslmode: "prefer" })).toBe("TLS");
  expect(await connection(url, { sslmode: "require" })).toBe("TLS");
  expect(await connection(url, { sslmode: "verify-ca", sslrootcert: ca })).toBe("TLS");
  expect(await connection(named, { sslmode: "verify-full", sslrootcert: ca })).toBe("TLS");
  const refused = "database_unavailable";
  // The certificate is for localhost, and its authority is the first one, which nobody else knows.
  expect(await connection(url, { sslmode: "verify-full", sslrootcert: ca })).toBe(refused);
  expect(await connection(url, { sslmode: "verify-ca", sslrootcert: other })).toBe(refused);
  expect(await connection(url, { sslmode: "require", sslrootcert: other })).toBe(refused);
  expect(await connection(named, { sslmode: "verify-full" })).toBe(refused);
  expect(await connection(named, { sslrootcert: "system" })).toBe(refused);
  const missing = certificates.path("missing.pem");
  expect(await connection(url, { sslmode: "verify-ca", sslrootcert: missing })).toBe(
    "invalid_argument",
  );
});

test("a server that asks for a client's certificate gets it", async () => {
  const certificates = await makeCertificates();
  const rules = certificates.path("hba.conf");
  const lines = [
    "host postgres all 127.0.0.1/32 password",
    "hostssl secured all 127.0.0.1/32 password clientcert=verify-ca",
  ];
  await writeFile(rules, `${lines.join("\n")}\n`);
  const { url } = await startTlsServer(certificates, [`hba_file=${rules}`]);
  const sql = postgres(url, { max: 1 });
  await sql`create database secured`;
  await sql.end();
  const secured = new URL(url);
  secured.pathname = "/secured";
  const client = {
    sslcert: certificates.path("client.pem"),
    sslkey: certificates.path("client.key"),
  };
  expect(await connection(secured.href, { sslmode: "require", ...client })).toBe("TLS");
  expect(await connection(secured.href, { sslmode: "require" })).toBe("permission_denied");
});

describe("a server without TLS", () => {
  test("is refused by all who ask for it, and used by the others", async () => {
    const schema = await createTestDatabase();
    afterTest(() => schema.drop());
    expect(await connection(schema.url, {})).toBe("plain");
    expect(await connection(schema.url, { sslmode: "disable" })).toBe("plain");
    expect(await connection(schema.url, { sslmode: "prefer" })).toBe("plain");
    for (const sslmode of ["require", "verify-ca", "verify-full"]) {
      expect(await connection(schema.url, { sslmode })).toBe("database_unavailable");
    }
  });

  test("that says more before TLS begins is taken for somebody in between", async () => {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => socket.write("S and more"));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const url = `postgres://store@127.0.0.1:${port}/store?sslmode=require`;
    await expect(openDatabase(url)).rejects.toMatchObject({
      code: "database_unavailable",
      message: expect.stringContaining("somebody may stand in between"),
    });
    server.close();
  });
});

test("parameters of TLS that do not fit together are refused before anything is connected to", () => {
  for (const parameters of [
    "sslmode=allow",
    "sslmode=verify",
    "ssl=true",
    "sslmode=require&sslrootcert=system",
    "sslcert=a.pem",
    "sslkey=a.key",
  ]) {
    expect(() => parsePostgresUrl(`postgres://a@b/c?${parameters}`)).toThrow(
      expect.objectContaining({ code: "invalid_argument" }),
    );
  }
});
