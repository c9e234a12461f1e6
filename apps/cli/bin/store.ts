#!/usr/bin/env node
// First, so that both hold before anything else is loaded or waits for the disk.
import "../src/lib/process-setup.ts";

import packageJson from "../package.json" with { type: "json" };

const { main } = await import("../src/main.ts");
await main({ root: new URL("..", import.meta.url), version: packageJson.version });
