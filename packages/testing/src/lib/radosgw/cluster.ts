import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { freePort } from "../../free-port.ts";
import type { S3Place } from "../s3-double/server.ts";
import { createBucket } from "./create-bucket.ts";
import { programPath } from "./packages.ts";

/** A gateway with the cluster below it: a monitor and one disk, all of them on loopback. */
export interface Cluster {
  readonly place: S3Place;
  /** What `radosgw --version` says. */
  readonly version: string;
  /** Ends every process and removes the files. */
  stop(): Promise<void>;
}

const env = { PATH: programPath, LC_ALL: "C" };
const run = promisify(execFile);
const gatewayAttempts = 240;

/** Starts a gateway with an empty bucket on free ports, with files in a new temporary folder. */
export async function startCluster(diskBytes: number): Promise<Cluster> {
  const folder = await mkdtemp(join(tmpdir(), "store-radosgw-"));
  const daemons: ChildProcess[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(daemons.map(end));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    return { ...(await start(folder, daemons, diskBytes)), stop };
  } catch (error) {
    const said = await readFile(join(folder, "daemons.log"), "utf8").catch(() => "");
    await stop();
    throw new Error(`radosgw did not start. Its last words: ${said.slice(-2000)}`, {
      cause: error,
    });
  }
}

async function start(
  folder: string,
  daemons: ChildProcess[],
  diskBytes: number,
): Promise<Omit<Cluster, "stop">> {
  const configuration = join(folder, "ceph.conf");
  const [monitorPort, gatewayPort] = [await freePort(), await freePort()];
  const id = randomUUID();
  await writeFile(
    configuration,
    configurationText({ folder, id, monitorPort, gatewayPort, diskBytes }),
  );
  const tool = async (program: string, ...values: readonly string[]): Promise<string> => {
    const options = { env, timeout: 120_000 };
    return (await run(program, ["-c", configuration, ...values], options)).stdout;
  };
  const daemon = async (program: string, ...values: readonly string[]): Promise<void> => {
    daemons.push(await launch(folder, program, ["-c", configuration, ...values, "-f"]));
  };
  await mkdir(join(folder, "disk"));
  await startMonitor(folder, id, monitorPort, tool, daemon);
  await startDisk(tool, daemon);
  const accessKeyId = "STORETEST";
  const secretAccessKey = randomBytes(20).toString("hex");
  const keys = [`--access-key=${accessKeyId}`, `--secret-key=${secretAccessKey}`];
  await tool("radosgw-admin", "user", "create", "--uid=store", "--display-name=Store", ...keys);
  await daemon("radosgw", "-n", "client.admin");
  const endpoint = `http://127.0.0.1:${gatewayPort}`;
  await untilItAnswers(endpoint, daemons);
  const { stdout } = await run("radosgw", ["--version"], { env });
  const credentials = { accessKeyId, secretAccessKey };
  const place = { endpoint, region: "us-east-1", bucket: "store-test", credentials };
  await createBucket(place);
  return { version: stdout.trim(), place };
}

type Tool = (program: string, ...values: readonly string[]) => Promise<string>;
type Daemon = (program: string, ...values: readonly string[]) => Promise<void>;

async function startMonitor(
  folder: string,
  id: string,
  port: number,
  tool: Tool,
  daemon: Daemon,
): Promise<void> {
  const map = join(folder, "monmap");
  const address = `[v2:127.0.0.1:${port}]`;
  await run("monmaptool", ["--create", "--fsid", id, "--addv", "a", address, map], { env });
  await tool("ceph-mon", "--mkfs", "-i", "a", "--monmap", map);
  await daemon("ceph-mon", "-i", "a");
}

async function startDisk(tool: Tool, daemon: Daemon): Promise<void> {
  const uuid = randomUUID();
  const number = (await tool("ceph", "osd", "new", uuid)).trim();
  await tool("ceph-osd", "-i", number, "--mkfs", "--osd-uuid", uuid);
  await daemon("ceph-osd", "-i", number);
}

interface Configured {
  readonly folder: string;
  readonly id: string;
  readonly monitorPort: number;
  readonly gatewayPort: number;
  readonly diskBytes: number;
}

function configurationText(configured: Configured): string {
  const { folder, id, monitorPort, gatewayPort, diskBytes } = configured;
  return `[global]
fsid = ${id}
mon host = [v2:127.0.0.1:${monitorPort}]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv6 = false
# Nobody but this test reaches the cluster. The gateway would insist on encryption, which needs keys.
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc
# One copy on one disk.
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 1000
mon data avail crit = 1
mon osd full ratio = .99
# A sparse file, and little memory for it.
osd objectstore = bluestore
bluestore block create = true
bluestore block size = ${diskBytes}
osd memory target = 939524096
mon data = ${join(folder, "monitor")}
osd data = ${join(folder, "disk")}
rgw data = ${join(folder, "gateway")}
run dir = ${folder}
admin socket =
log file =
pid file =

[client.admin]
rgw frontends = beast endpoint=127.0.0.1:${gatewayPort}
# The hosts of the virtual-host style.
rgw dns name = localhost
`;
}

async function launch(
  folder: string,
  program: string,
  values: readonly string[],
): Promise<ChildProcess> {
  const log = await open(join(folder, "daemons.log"), "a");
  const child = spawn(program, values, { env, cwd: folder, stdio: ["ignore", log.fd, log.fd] });
  // A program that cannot be run says so; what waits for it finds that it has ended.
  child.once("error", () => undefined);
  await log.close();
  return child;
}

async function untilItAnswers(endpoint: string, daemons: readonly ChildProcess[]): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await fetch(endpoint).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok === true) return;
    if (daemons.some(hasEnded)) throw new Error("A process of the cluster has ended.");
    if (attempt === gatewayAttempts) throw new Error(`Nothing answers at ${endpoint}.`);
    await sleep(250);
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
}

async function end(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const ended = once(child, "exit");
  // Nothing is kept, so nothing need be written.
  child.kill("SIGKILL");
  await ended;
}
