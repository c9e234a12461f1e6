/** A way to PostgreSQL that can go silent, as a network does that is gone without a word. */
import { listenInFront } from "./listen-in-front.ts";

export interface SilentProxy {
  readonly url: string;
  /** Keeps everything back, of connections that are there and of later ones. */
  silence(): void;
  /** Goes silent at the next message that holds `text`, before or after the server has had it. */
  silenceAt(text: string, side: "request" | "answer"): void;
  /** Lets later connections through; those that were silenced stay so. */
  speak(): void;
  /** Connections that were tried so far. */
  readonly tried: number;
}

/** Listens on a free port and forwards to the server of `url`. */
export async function silentProxyTo(url: string): Promise<SilentProxy> {
  const mutes = new Set<() => void>();
  let isSilent = false;
  let awaited: { text: string; side: "request" | "answer" } | undefined;
  let tried = 0;
  const silence = (): void => {
    isSilent = true;
    for (const mute of mutes) mute();
  };
  const address = await listenInFront(url, (client, dial) => {
    tried += 1;
    if (isSilent) return;
    const upstream = dial();
    let isMuted = false;
    const mute = (): void => void (isMuted = true);
    mutes.add(mute);
    const passes = (bytes: Buffer, side: "request" | "answer"): boolean => {
      if (awaited?.side !== side || !bytes.includes(awaited.text)) return !isMuted;
      awaited = undefined;
      silence();
      return false;
    };
    client.on("data", (bytes) => void (passes(bytes, "request") && upstream.write(bytes)));
    upstream.on("data", (bytes) => void (passes(bytes, "answer") && client.write(bytes)));
    client.on("close", () => void (isMuted || upstream.destroy()));
    upstream.on("close", () => void (isMuted || client.destroy()));
  });
  return {
    url: address,
    silence,
    silenceAt: (text, side) => {
      awaited = { text, side };
    },
    speak: () => {
      isSilent = false;
    },
    get tried() {
      return tried;
    },
  };
}
