#!/usr/bin/env -S node --max-semi-space-size=4
// The option: what arrives from sockets lies in the young generation until that is full, and a server
// whose uploads are large would hold some fifty MiB of it for nothing.
// First, so that both hold before anything else is loaded or waits for the disk.
import "../src/lib/process-setup.ts";

import packageJson from "../package.json" with { type: "json" };

const { main } = await import("../src/main.ts");
await main({ root: new URL("..", import.meta.url), version: packageJson.version });
