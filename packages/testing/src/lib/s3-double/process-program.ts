/**
 * A double as a process: its parent starts it and calls its controls over the channel between
 * them, and when the channel ends, however the parent died, the double ends.
 */
import { once } from "node:events";
import type { S3Controls } from "./controls.ts";
import type { CallMessage, ResultMessage, StartedMessage, StartMessage } from "./remote.ts";
import { startS3Double } from "./server.ts";

const orphaned = once(process, "disconnect");
// Ctrl-C reaches the whole group; the end of the channel follows when the parent is done.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => undefined);

const [message] = (await once(process, "message")) as [StartMessage];
const double = await startS3Double(message.options);
const tooOld = setTimeout(() => process.disconnect(), message.maximumLifeMs);

const { endpoint, region, bucket, credentials } = double;
send({ endpoint, region, bucket, credentials });
process.on("message", (call: CallMessage) => {
  void perform(call).then(send);
});
await orphaned;
clearTimeout(tooOld);
await double.close();

async function perform({ id, name, values }: CallMessage): Promise<ResultMessage> {
  try {
    // The parent's types have checked the values against the control's name.
    const control = double[name] as (...values: readonly unknown[]) => Promise<unknown>;
    return { id, value: await control.apply(double satisfies S3Controls, [...values]) };
  } catch (error) {
    return { id, error: error instanceof Error ? error.message : String(error) };
  }
}

function send(answer: StartedMessage | ResultMessage): void {
  // A parent that is gone reads nothing; the end of the channel is on its way.
  if (process.connected) process.send?.(answer, undefined, undefined, () => undefined);
}
