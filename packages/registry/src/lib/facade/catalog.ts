import { assertName, assertNamespace, assertTag } from "@store/identity";

import { assertText, canonicalSchema } from "../arguments.ts";
import { placeHold, releaseHold } from "../commands/hold.ts";
import { setRetention } from "../commands/retention.ts";
import { registerMetadataSchema } from "../commands/schema.ts";
import { removeTag, setTag } from "../commands/tag.ts";
import { runCommand } from "../commands/run.ts";
import { idempotentRequest } from "../commands/idempotency.ts";
import type { Instance } from "../instance.ts";
import { limits } from "../limits.ts";
import type { Registry } from "../registry.ts";

type CatalogCommands = Pick<
  Registry,
  "setTag" | "removeTag" | "registerMetadataSchema" | "setRetention" | "placeHold" | "releaseHold"
>;

/** The commands on what stands around packages: tags, schemas, retention and holds. */
export function catalogCommands(instance: Instance, actor: string): CatalogCommands {
  return {
    setTag: async ({ packageId, tag }, { expected, idempotencyKey } = {}) => {
      assertTag(tag);
      const command = { packageId, tag, expected };
      const idempotent = idempotentRequest(idempotencyKey, "setTag", command);
      return runCommand(instance, actor, setTag(command), idempotent);
    },

    removeTag: async ({ namespace, name, tag }, { expected, idempotencyKey } = {}) => {
      assertNamespace(namespace);
      assertName(name);
      assertTag(tag);
      const command = { namespace, name, tag, expected };
      const idempotent = idempotentRequest(idempotencyKey, "removeTag", command);
      await runCommand(instance, actor, removeTag(command), idempotent);
    },

    registerMetadataSchema: async ({ name, schema }, { idempotencyKey } = {}) => {
      assertName(name);
      const canonical = canonicalSchema(schema);
      await instance.validator.checkSchema(schema);
      const decide = registerMetadataSchema({ name, schema: canonical });
      const request = { name, schema };
      const idempotent = idempotentRequest(idempotencyKey, "registerMetadataSchema", request);
      return runCommand(instance, actor, decide, idempotent);
    },

    setRetention: async (packageId, retentionClass, { idempotencyKey } = {}) => {
      const request = { packageId, retentionClass };
      const idempotent = idempotentRequest(idempotencyKey, "setRetention", request);
      return runCommand(instance, actor, setRetention(packageId, retentionClass), idempotent);
    },

    placeHold: async (packageId, reason, { idempotencyKey } = {}) => {
      assertText("reason", reason, limits.reasonBytes);
      const decide = placeHold({ holdId: instance.ids(), packageId, reason });
      const idempotent = idempotentRequest(idempotencyKey, "placeHold", { packageId, reason });
      return runCommand(instance, actor, decide, idempotent);
    },

    releaseHold: async (holdId, { idempotencyKey } = {}) => {
      const idempotent = idempotentRequest(idempotencyKey, "releaseHold", { holdId });
      return runCommand(instance, actor, releaseHold(holdId), idempotent);
    },
  };
}
