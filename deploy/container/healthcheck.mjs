// Ends with 0 where the server of this container is ready, else with 1: the image has no curl.
import { get } from "node:http";

const port = process.env.STORE_PORT || "8000";
const request = get(`http://127.0.0.1:${port}/health/ready`, { timeout: 12_000 }, (response) => {
  response.setEncoding("utf8");
  response.on("data", (text) => process.stdout.write(text));
  process.exitCode = response.statusCode === 200 ? 0 : 1;
});
request.on("timeout", () => request.destroy(new Error("no answer within 12 seconds")));
request.on("error", (error) => {
  console.error(error.message);
  process.exitCode = 1;
});
