import type { PackageSummary } from "@store/api";
import type { ContentAddress } from "@store/identity";

/** What never changes about a package. */
export interface KnownPackage {
  readonly namespace: string;
  readonly name: string;
  /** Of a package that is finalized. */
  readonly manifestDigest?: ContentAddress;
}

const mostKnown = 1_000;

/** What answers said about packages and what stays true, so that it need not be asked again. */
export class KnownPackages {
  readonly #known = new Map<string, KnownPackage>();

  note<T extends PackageSummary>(info: T): T {
    const { id, namespace, name, manifestDigest } = info;
    this.#known.delete(id);
    const oldest = this.#known.keys().next();
    if (this.#known.size >= mostKnown && !oldest.done) this.#known.delete(oldest.value);
    this.#known.set(id, {
      namespace,
      name,
      ...(manifestDigest === undefined ? {} : { manifestDigest }),
    });
    return info;
  }

  find(packageId: string): KnownPackage | undefined {
    return this.#known.get(packageId);
  }
}
