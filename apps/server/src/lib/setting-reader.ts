import { StoreError } from "@store/identity";

/** Reads variables of an environment, and refuses what they may not be by their names. */
export class SettingReader {
  readonly #environment: NodeJS.ProcessEnv;

  constructor(environment: NodeJS.ProcessEnv) {
    this.#environment = environment;
  }

  /** A whole number from `least` (0 unless given) to `most`. */
  integer(
    name: string,
    limits: { readonly otherwise: number; readonly least?: number; readonly most?: number },
  ): number {
    const { otherwise, least = 0, most = Number.MAX_SAFE_INTEGER } = limits;
    const text = this.#environment[name];
    if (!text) return otherwise;
    const value = Number(text);
    if (/^\d{1,16}$/.test(text) && value >= least && value <= most) return value;
    throw refused(name, text, `give a whole number from ${least} to ${most}`);
  }

  /** A positive number of seconds, as milliseconds. */
  seconds(name: string, otherwise: number): number {
    return this.integer(name, { otherwise, least: 1, most: 100 * 366 * 24 * 60 * 60 }) * 1_000;
  }

  /** `true` or `false`; false unless given. */
  flag(name: string): boolean {
    const text = this.#environment[name];
    if (!text || text === "false") return false;
    if (text === "true") return true;
    throw refused(name, text, "give true or false");
  }

  /** One of some texts; the first unless given. */
  oneOf<const Text extends string>(name: string, texts: readonly [Text, ...Text[]]): Text {
    const given = this.#environment[name];
    if (!given) return texts[0];
    const found = texts.find((text) => text === given);
    if (found !== undefined) return found;
    throw refused(name, given, `give ${texts.join(" or ")}`);
  }

  /** Texts between commas; none unless given. */
  list(name: string): readonly string[] {
    const parts = (this.#environment[name] ?? "").split(",").map((part) => part.trim());
    return parts.filter((part) => part !== "");
  }

  /** Origins between commas, such as `https://web.example.org`, or `*`; none unless given. */
  origins(name: string): readonly string[] {
    const origins = this.list(name);
    const wrong = origins.find((one) => one !== "*" && URL.parse(one)?.origin !== one);
    if (wrong === undefined) return origins;
    throw refused(name, wrong, "give origins such as https://web.example.org, or *");
  }

  /** An http or https URL, without the slash at its end. */
  url(name: string): string | undefined {
    const text = this.#environment[name];
    if (!text) return undefined;
    const url = URL.parse(text);
    if (url !== null && /^https?:$/.test(url.protocol) && url.search + url.hash === "") {
      return url.href.replace(/\/$/, "");
    }
    throw refused(name, text, "give a URL such as https://store.example.org");
  }
}

function refused(name: string, text: string, remedy: string): StoreError {
  return new StoreError("invalid_argument", `${name} is '${text.slice(0, 80)}'; ${remedy}.`, {
    context: { actual: text.slice(0, 80) },
  });
}
