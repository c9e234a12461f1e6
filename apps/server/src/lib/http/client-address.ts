import { BlockList, isIP } from "node:net";

import { StoreError } from "@store/identity";

/** Which proxies are believed when they say where a request comes from. */
export type TrustedProxies =
  | { readonly kind: "count"; readonly count: number }
  | { readonly kind: "networks"; readonly networks: BlockList };

/** Believes nobody: the client is whoever opened the connection. */
export const noProxies: TrustedProxies = { kind: "count", count: 0 };

/**
 * Reads how many proxies stand before the server (`2`), or their addresses (`10.0.0.0/8,::1`).
 *
 * @throws {StoreError} `invalid_argument`
 */
export function parseTrustedProxies(text: string): TrustedProxies {
  if (/^\d$/.test(text)) return { kind: "count", count: Number(text) };
  const networks = new BlockList();
  for (const part of text.split(",").map((network) => network.trim())) {
    const [address = "", bits, rest] = part.split("/");
    const family = isIP(address);
    const most = family === 6 ? 128 : 32;
    const prefix = bits === undefined ? most : Number(bits);
    const isPrefix = bits === undefined || (/^\d{1,3}$/.test(bits) && prefix <= most);
    if (family === 0 || rest !== undefined || !isPrefix) {
      throw new StoreError(
        "invalid_argument",
        `STORE_TRUSTED_PROXIES has '${part}', which is no proxy; give a number of proxies from 0 ` +
          "to 9, or addresses and networks, e.g. 10.0.0.0/8,::1.",
        { context: { actual: part } },
      );
    }
    networks.addSubnet(address, prefix, family === 6 ? "ipv6" : "ipv4");
  }
  return { kind: "networks", networks };
}

/**
 * The client's address, as the last proxy that is trusted saw it. Whatever stands left of that in
 * `X-Forwarded-For` anybody can have written.
 */
export function clientAddress(
  peer: string | undefined,
  forwardedFor: string | undefined,
  proxies: TrustedProxies,
): string {
  const hops = forwardedFor === undefined ? [] : forwardedFor.split(",");
  let address = plainAddress(peer ?? "") ?? "unknown";
  for (let trusted = 0; trusts(proxies, address, trusted); trusted += 1) {
    const before = plainAddress(hops.pop()?.trim() ?? "");
    if (before === undefined) break;
    address = before;
  }
  return address;
}

function trusts(proxies: TrustedProxies, address: string, before: number): boolean {
  if (proxies.kind === "count") return before < proxies.count;
  return proxies.networks.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
}

/** An address without brackets, port or the IPv6 form of an IPv4 one; undefined if it is none. */
function plainAddress(text: string): string | undefined {
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1];
  const withoutPort = /^([\d.]+):\d+$/.exec(text)?.[1];
  const address = (bracketed ?? withoutPort ?? text).replace(/^::ffff:(?=\d+\.)/i, "");
  return isIP(address) === 0 ? undefined : address.toLowerCase();
}
