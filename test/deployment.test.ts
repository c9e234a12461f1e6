import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { glob, readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";

import { describe, expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";

const root = join(import.meta.dirname, "..");
const run = promisify(execFile);

async function read(path: string): Promise<string> {
  return await readFile(join(root, path), "utf8");
}

/** The instructions of a Dockerfile, each on one line. */
async function instructions(): Promise<{ name: string; rest: string }[]> {
  const text = (await read("deploy/container/Dockerfile")).replaceAll("\\\n", " ");
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return lines.map((line) => {
    const [, name = "", rest = ""] = /^(\w+) +(.*)$/.exec(line) ?? [];
    return { name, rest: rest.replaceAll(/ +/g, " ") };
  });
}

describe("the image", () => {
  it("is made by steps of the one script, each of which is run", async () => {
    const script = await read("deploy/container/install.sh");
    const steps = [...script.matchAll(/^(\w+)\(\) \{$/gm)].map(([, step]) => step);
    const commands = (await instructions()).filter(({ name }) => name === "RUN");
    const called = commands.map(({ rest }) => /^sh \S*install\.sh (\w+)$/.exec(rest)?.[1]);
    expect(called).toEqual(steps);
  });

  it("does not run as root, has a healthcheck, and ends by the signal that the server heeds", async () => {
    const all = await instructions();
    const last = (wanted: string) => all.findLast(({ name }) => name === wanted)?.rest;
    const script = await read("deploy/container/install.sh");
    expect(last("USER")).toBe(`${/^ACCOUNT_ID=(\d+)$/m.exec(script)?.[1]}:10001`);
    expect(last("STOPSIGNAL")).toBe("SIGTERM");
    expect(last("VOLUME")).toBe("/data");
    expect(last("HEALTHCHECK")).toContain('CMD ["node", "/opt/store/healthcheck.mjs"]');
    expect(last("ENTRYPOINT")).toBe('["store"]');
    expect(last("CMD")).toBe('["serve", "--host", "0.0.0.0"]');
    expect(last("ENV")).toContain("STORE_LOG=json");
  });

  it("refuses a step that the script does not have", async () => {
    const script = join(root, "deploy/container/install.sh");
    await expect(run("sh", [script, "everything"])).rejects.toMatchObject({ code: 2 });
    await run("sh", ["-n", script]);
  });

  it.each([
    [200, 0],
    [503, 1],
  ])("is healthy by the server's readiness: %i ends with %i", async (status, code) => {
    const paths: (string | undefined)[] = [];
    const server = createServer(({ url }, response) => {
      paths.push(url);
      response.writeHead(status).end("{}");
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    try {
      expect(await healthcheck(port)).toBe(code);
      expect(paths).toEqual(["/health/ready"]);
    } finally {
      server.close();
    }
  });

  it("is not healthy where nothing listens", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, "close");
    expect(await healthcheck(port)).toBe(1);
  });
});

async function healthcheck(port: number): Promise<number> {
  const program = join(root, "deploy/container/healthcheck.mjs");
  const env = { ...process.env, STORE_PORT: String(port) };
  const child = spawn(process.execPath, [program], { env, stdio: "ignore" });
  const [code] = (await once(child, "close")) as [number];
  return code;
}

interface Container {
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly resources: Readonly<Record<string, unknown>>;
  readonly livenessProbe: { readonly httpGet: { readonly path: string } };
  readonly readinessProbe: { readonly httpGet: { readonly path: string } };
}

interface DeploymentFile {
  readonly spec: {
    readonly strategy: { readonly type: string };
    readonly template: {
      readonly spec: {
        readonly enableServiceLinks: boolean;
        readonly automountServiceAccountToken: boolean;
        readonly terminationGracePeriodSeconds: number;
        readonly securityContext: Readonly<Record<string, unknown>>;
        readonly containers: readonly [Container];
      };
    };
  };
}

interface RuleFile {
  readonly groups: readonly {
    readonly rules: readonly {
      readonly alert: string;
      readonly labels: { readonly severity: string };
      readonly annotations: {
        readonly summary: string;
        readonly description: string;
        readonly runbook_url: string;
      };
    }[];
  }[];
}

describe("the examples", () => {
  it("are YAML without errors and warnings", async () => {
    const files = await Array.fromAsync(glob("deploy/**/*.yaml", { cwd: root }));
    expect(files.length).toBeGreaterThan(8);
    for (const file of files) {
      for (const document of parseAllDocuments(await read(file))) {
        expect([file, document.errors, document.warnings]).toEqual([file, [], []]);
      }
    }
  });

  it("give Kubernetes a server that may do little, and that no Service sets the port of", async () => {
    const { spec } = parse(
      await read("deploy/kubernetes/one-server/deployment.yaml"),
    ) as DeploymentFile;
    const pod = spec.template.spec;
    const [container] = pod.containers;
    expect(spec.strategy.type).toBe("Recreate");
    expect(pod).toMatchObject({
      enableServiceLinks: false,
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, runAsUser: 10_001, fsGroup: 10_001 },
    });
    expect(container.securityContext).toMatchObject({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
    // A database that is away must not have servers restarted.
    expect(container.livenessProbe.httpGet.path).toBe("/health");
    expect(container.readinessProbe.httpGet.path).toBe("/health/ready");
    expect(container.resources).toHaveProperty("requests");
  });

  it("wait longer for the server to end than it lets requests end", async () => {
    const drain = Number(/^STORE_DRAIN_SECONDS=(\d+)$/m.exec(await read(".env.example"))?.[1]);
    const unit = await read("deploy/systemd/store.service");
    const compose = parse(await read("deploy/compose.yaml")) as {
      services: { server: { stop_grace_period: string } };
    };
    const { spec } = parse(
      await read("deploy/kubernetes/one-server/deployment.yaml"),
    ) as DeploymentFile;
    for (const seconds of [
      Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1]),
      Number.parseInt(compose.services.server.stop_grace_period, 10),
      spec.template.spec.terminationGracePeriodSeconds,
    ]) {
      expect(seconds).toBeGreaterThanOrEqual(drain + 10);
    }
  });

  it("have alerts that each lead to what to do, and each have a test", async () => {
    const { groups } = parse(await read("deploy/prometheus/alerts.yaml")) as RuleFile;
    const tests = await read("deploy/prometheus/alerts.test.yaml");
    const rules = groups.flatMap((group) => group.rules);
    expect(rules.length).toBeGreaterThan(10);
    for (const { alert, labels, annotations } of rules) {
      expect(labels.severity).toMatch(/^(?:critical|warning)$/);
      expect(annotations.summary).not.toBe("");
      expect(annotations.description).not.toBe("");
      const [path = "", anchor] = annotations.runbook_url.split("#");
      const headings = [...(await read(path)).matchAll(/^#+ (.*)$/gm)].map(([, text]) => text);
      expect(headings.map((text) => text?.toLowerCase())).toContain(anchor);
      expect(anchor).toBe(alert.toLowerCase());
      expect(tests).toMatch(new RegExp(`alertname[=:] ?"?${alert}\\b`));
    }
  });

  it("name anchors that there are, from one document to another", async () => {
    for (const path of ["docs/DEPLOYMENT.md", "docs/OPERATOR.md", "docs/SECURITY.md"]) {
      for (const [, target = "", anchor] of (await read(path)).matchAll(
        /\]\(((?!https?:)[^)#\s]*)#([^)\s]+)\)/g,
      )) {
        const place = target === "" ? path : join("docs", target);
        const headings = [...(await read(place)).matchAll(/^#+ (.*)$/gm)].map(([, text = ""]) =>
          text
            .toLowerCase()
            .replaceAll(/[^\w -]/g, "")
            .replaceAll(" ", "-"),
        );
        expect(headings, `${path} links to ${place}#${anchor}`).toContain(anchor);
      }
    }
  });
});
