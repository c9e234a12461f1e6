import { describe, expect, it } from "vitest";

import { clientAddress, noProxies, parseTrustedProxies } from "../src/lib/http/client-address.ts";
import { startTestServer } from "./service.ts";

describe("the client's address", () => {
  const forged = "6.6.6.6, 203.0.113.7, 10.0.0.2";

  it("is that of the connection where no proxy is trusted", () => {
    expect(clientAddress("10.0.0.1", forged, noProxies)).toBe("10.0.0.1");
    expect(clientAddress(undefined, forged, noProxies)).toBe("unknown");
  });

  it("is what the outermost of so many proxies saw, whatever the client wrote before", () => {
    const at = (count: string) => clientAddress("10.0.0.1", forged, parseTrustedProxies(count));
    expect(at("1")).toBe("10.0.0.2");
    expect(at("2")).toBe("203.0.113.7");
    expect(clientAddress("10.0.0.1", undefined, parseTrustedProxies("2"))).toBe("10.0.0.1");
  });

  it("is the first from the right that is none of the proxies' networks", () => {
    const proxies = parseTrustedProxies("10.0.0.0/8, ::1");
    expect(clientAddress("10.0.0.1", forged, proxies)).toBe("203.0.113.7");
    expect(clientAddress("::1", "2001:DB8::9", proxies)).toBe("2001:db8::9");
    expect(clientAddress("192.0.2.1", forged, proxies)).toBe("192.0.2.1");
    expect(clientAddress("::ffff:10.0.0.1", "198.51.100.1:4711", proxies)).toBe("198.51.100.1");
    expect(clientAddress("10.0.0.1", "[2001:db8::9]:80", proxies)).toBe("2001:db8::9");
  });

  it("is the last that is known where a proxy wrote something else", () => {
    const proxies = parseTrustedProxies("3");
    expect(clientAddress("10.0.0.1", "unknown, 10.0.0.2", proxies)).toBe("10.0.0.2");
    expect(clientAddress("10.0.0.1", "", proxies)).toBe("10.0.0.1");
  });

  it.each(["10.0.0.0/33", "::/129", "proxy.example.org", "10.0.0.0/8/8", "10.0.0.0/x", "12"])(
    "cannot be asked of %j",
    (text) => {
      expect(() => parseTrustedProxies(text)).toThrow(
        expect.objectContaining({ code: "invalid_argument" }),
      );
    },
  );

  it("is that which is recorded of a refused request", async () => {
    const headers = { "x-forwarded-for": "6.6.6.6, 203.0.113.7" };
    for (const [proxies, address] of [
      ["", "127.0.0.1"],
      ["1", "203.0.113.7"],
      ["127.0.0.0/8", "203.0.113.7"],
    ] as const) {
      const environment = { STORE_TRUSTED_PROXIES: proxies };
      await using server = await startTestServer({ environment });
      await server.call(undefined, "/api/v1/packages", { headers });
      expect(server.refusals).toEqual([expect.objectContaining({ address })]);
    }
  });
});
