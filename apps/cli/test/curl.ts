import { execFileSync } from "node:child_process";

/**
 * Why the commands that people type cannot be run here, in words for the name of a skipped test;
 * nothing where they can. `curl` has to know `--json` and `%header{…}`.
 */
export const whyNoCurl: string = reason();

function reason(): string {
  try {
    const version = execFileSync("curl", ["--version"], { encoding: "utf8" });
    const [, major = "0", minor = "0"] = /^curl (\d+)\.(\d+)/.exec(version) ?? [];
    if (Number(major) * 1000 + Number(minor) < 7083) return " (skipped: curl is older than 7.83)";
    for (const tool of ["openssl", "sha256sum"])
      execFileSync(tool, ["--help"], { stdio: "ignore" });
    return "";
  } catch {
    return " (skipped: curl, openssl or sha256sum is not there)";
  }
}
