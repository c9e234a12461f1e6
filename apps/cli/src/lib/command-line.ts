/** Whether this runs from source, where the commands are TypeScript and nothing was built. */
export const isSource = import.meta.filename.endsWith(".ts");

/**
 * What oclif must know. It stands here and not in package.json, since the commands lie elsewhere in
 * the workspace than in the packed package.
 */
export function commandLineConfiguration(
  version: string,
  commands = isSource ? "./src/commands" : "./dist/commands",
) {
  return {
    name: "@store/cli",
    version,
    type: "module",
    oclif: {
      bin: "store",
      description: "Keep artifacts: any files, addressed by their content, in packages that last.",
      topicSeparator: " " as const,
      commands: { strategy: "pattern" as const, target: commands },
      topics: {
        hold: { description: "Keep packages from expiring." },
        instance: { description: "Move an instance to another place." },
        objects: { description: "Look after the copies of objects at several backends." },
        retention: { description: "Decide how long packages are kept." },
        schema: { description: "Register schemas that metadata must satisfy." },
        token: { description: "Let programs in, by API tokens." },
        user: { description: "Let people in." },
      },
      helpOptions: {
        flagSortOrder: "none" as const,
        maxWidth: Math.min(100, process.stdout.columns || 80),
      },
      exitCodes: {
        default: 2,
        failedFlagParsing: 2,
        failedFlagValidation: 2,
        invalidArgsSpec: 2,
        nonExistentFlag: 2,
        requiredArgs: 2,
        unexpectedArgs: 2,
      },
    },
  };
}
