import { hash } from "@node-rs/argon2";
import { isStoreError } from "@store/identity";
import { eq } from "drizzle-orm";
import { describe, expect, test } from "vitest";

import { PasswordHashing } from "../src/lib/passwords/password-hashing.ts";
import { newPassword } from "../src/lib/passwords/password-rules.ts";
import { codeOf, dialects, here, openTestAccess, operator, password } from "./instance.ts";

/** Why a password is refused, or "taken". */
function verdict(given: string, username = "alice"): string {
  try {
    newPassword(given, username);
    return "taken";
  } catch (error) {
    if (isStoreError(error, "invalid_password")) return error.message;
    throw error;
  }
}

describe("a password", () => {
  test.each([
    "tulip kettle orbit",
    "MyDogRexAte3Shoes",
    "Xk9#mQ2$vL7p",
    "zażółć gęślą jaźń",
    "🌷🌷🫖🪐🛰🧭🪁🪵🧶🧵🪡🪢",
    "kWq7-tR2n-Zp",
    "a".repeat(3) + "tulip kettle" + "orbit".repeat(40),
  ])("that nobody guesses is taken: %s", (given) => {
    expect(verdict(given)).toBe("taken");
  });

  test.each([
    "Password!2024",
    "P@ssw0rd1234",
    "passwordpassword",
    "password-password",
    "123456789012",
    "111222333444",
    "aaaaaaaaaaaa",
    "ababababababab",
    "qwertyuiop12",
    "1qaz2wsx3edc",
    "0987654321098",
    "zyxwvutsrqponm",
    "administrator1",
    "iloveyou2024!",
    "welcome12345!",
    "superman1234",
    "Letmein-2026!",
    "correct horse battery staple",
    "CorrectHorseBatteryStaple1",
    "monkey dragon 1",
    "alicealice12",
    "Alice-2026-x",
    "ＰＡＳＳＷＯＲＤ１２３４",
  ])("that is one of the first to be tried is refused: %s", (given) => {
    expect(verdict(given)).toMatch(/^The password (is|repeats|runs)/);
  });

  test("has 12 to 256 characters, not bytes or UTF-16 units", () => {
    expect(verdict("tulip kettl")).toMatch(/shorter than 12/);
    expect(verdict("🌷🫖🪐🛰🧭🪁🪵🧶🧵🪡🪢")).toMatch(/shorter than 12/);
    const long = Array.from({ length: 64 }, (_, index) => `ż${index % 10}🌷k`).join("");
    expect(Array.from(long)).toHaveLength(256);
    expect(verdict(long)).toBe("taken");
    expect(verdict(`${long}x`)).toMatch(/longer than 256/);
    expect(verdict("x".repeat(1_000_000))).toMatch(/longer than 256/);
  });

  test("holds no control character and no lone surrogate", () => {
    expect(verdict("tulip\nkettle orbit")).toMatch(/control character/);
    expect(verdict("tulip kettle\u0000orbit")).toMatch(/control character/);
    expect(verdict("tulip kettle \ud800 orbit")).toMatch(/well-formed/);
    expect(verdict(undefined as never)).toMatch(/well-formed/);
  });

  test("is never shown by its refusal", () => {
    for (const given of ["Password!2024", "xyzzy", "x".repeat(300), "tulip\nkettle orbit"]) {
      expect(verdict(given)).not.toContain(given);
    }
  });
});

describe("hashing", () => {
  test("does so many at once and lets so many wait, and refuses more", async () => {
    const hashing = new PasswordHashing({ hashing: 1, waiting: 2 });
    await hashing.verify(undefined, "warms the decoy up");
    const outcomes = Array.from({ length: 6 }, () => hashing.hash(password));
    expect(hashing.pending).toBe(3);
    const codes = await Promise.all(outcomes.map(codeOf));
    expect(codes.filter((code) => code === "nothing thrown")).toHaveLength(3);
    expect(codes.filter((code) => code === "rate_limited")).toHaveLength(3);
    expect(hashing.pending).toBe(0);
    expect(await codeOf(hashing.hash(password))).toBe("nothing thrown");
  });

  test("is argon2id with 19 MiB and two passes, and each hash has its own salt", async () => {
    const hashing = new PasswordHashing({ hashing: 2, waiting: 2 });
    const [one, two] = await Promise.all([hashing.hash(password), hashing.hash(password)]);
    expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(two).not.toBe(one);
    expect(hashing.isOutdated(one)).toBe(false);
    expect(await hashing.verify(one, password)).toBe(true);
    expect(await hashing.verify(one, `${password}x`)).toBe(false);
    expect(await hashing.verify(undefined, password)).toBe(false);
  });
});

describe.each(dialects)("passwords on %s", (dialect) => {
  test("are the same however an accent was typed, and not without it", async () => {
    await using t = await openTestAccess(dialect);
    const composed = "crème brûlée orbit";
    await t.access.createUser(operator, { username: "ada", password: composed });
    const login = (given: string) =>
      codeOf(t.access.login({ username: "ada", password: given }, here));
    expect(await login(composed.normalize("NFD"))).toBe("nothing thrown");
    expect(await login(composed.replace(" ", "\u00a0"))).toBe("nothing thrown");
    expect(await login("creme brulee orbit")).toBe("unauthenticated");
  });

  test("whose hash has older parameters are hashed again at the next login", async () => {
    await using t = await openTestAccess(dialect);
    await t.user("ada");
    const { users } = t.database.tables;
    const weak = await hash(password, { memoryCost: 4_096, timeCost: 1, parallelism: 1 });
    await t.database.write(async ({ sql }) => {
      await sql.update(users).set({ passwordHash: weak }).where(eq(users.username, "ada"));
    });
    await t.access.login({ username: "ada", password }, here);
    const [row] = await t.database.reader.select().from(users);
    expect(row?.passwordHash).toMatch(/m=19456,t=2,p=1/);
    await t.access.login({ username: "ada", password }, here);
  });
});
