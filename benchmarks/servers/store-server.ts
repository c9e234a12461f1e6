// A server over a new instance in the folder that is given, for benchmarks: tells its parent where
// it listens and a token that may do everything, and ends when the parent leaves.
import { localPrincipal } from "@store/access";
import { startServer } from "@store/server";
import { openInstance, readSettings } from "@store/server/runtime";

const settings = readSettings({ data: process.argv[2], port: 0 }, {});
const instance = await openInstance(settings, { create: true });
const access = await instance.access();
const operator = localPrincipal("benchmark");
const password = "a stopwatch of brass";
await access.createUser(operator, { username: "bench", password, scopes: ["admin:*"] });
const { token } = await access.createToken(operator, { name: "bench", owner: "bench" });
const server = await startServer({ service: { registry: instance.registry, access }, settings });
process.send?.({ url: server.url, token });
process.once("disconnect", () => {
  void server.close().then(() => process.exit(0));
});
