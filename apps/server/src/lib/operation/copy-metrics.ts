import type { BackendInfo, Registry } from "@store/registry";
import { Gauge, type Registry as Metrics } from "prom-client";

/**
 * Measures the backends whenever the metrics are asked for: what reads make up for by other copies,
 * no request tells of.
 */
export function measureCopies(metrics: Metrics, registry: Pick<Registry, "listBackends">): void {
  const measure = (name: string, help: string, value: (backend: BackendInfo) => number): void => {
    const gauge = new Gauge({
      name,
      help,
      labelNames: ["backend"],
      // Workers share what is told here.
      aggregator: "max",
      registers: [metrics],
      collect: async () => {
        gauge.reset();
        const backends = await registry.listBackends().catch(() => []);
        for (const backend of backends) gauge.set({ backend: backend.name }, value(backend));
      },
    });
  };
  measure(
    "store_copies_damaged",
    "Copies of objects that were found missing or corrupt and are not mended.",
    ({ damagedCopies }) => damagedCopies,
  );
  measure(
    "store_backend_failed",
    "1 where the backend did not answer when it was last used, else 0.",
    ({ status }) => Number(status === "failed"),
  );
}
