// Runs after every install, in plain JavaScript, so that an old Node can say what is wrong with it.
// On Linux the lockfile brings Node 24 itself; elsewhere the machine's own Node is used.
const needed = 24;
const actual = Number(process.versions.node.split(".")[0]);

if (actual < needed) {
  console.error(
    `Store needs Node ${needed} or later; this is ${process.version} at ${process.execPath}.\n` +
      `On ${process.platform}-${process.arch} the workspace cannot bring its own: install Node ` +
      `${needed} (https://nodejs.org) and run the command again.`,
  );
  process.exit(1);
}
