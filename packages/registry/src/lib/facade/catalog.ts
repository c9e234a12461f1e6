import { assertName, assertTag } from "@store/identity";

import {
  assertTagName,
  assertText,
  canonicalSchema,
  objectOf,
  optionsOf,
  textOf,
} from "../arguments.ts";
import { placeHold, refuseUncoveredHold, releaseHold } from "../commands/hold.ts";
import { idempotentRequest } from "../commands/idempotency.ts";
import { setRetention } from "../commands/retention.ts";
import { prepareAndRun, runCommand } from "../commands/run.ts";
import { registerMetadataSchema } from "../commands/schema.ts";
import { removeTag, setTag, unknownTag } from "../commands/tag.ts";
import type { Instance } from "../instance.ts";
import { limits } from "../limits.ts";
import { refuseUncovered } from "../queries/find.ts";
import type { Registry } from "../registry.ts";
import type { Caller } from "../scope.ts";

type CatalogCommands = Pick<
  Registry,
  "setTag" | "removeTag" | "registerMetadataSchema" | "setRetention" | "placeHold" | "releaseHold"
>;

/** The commands on what stands around packages: tags, schemas, retention and holds. */
export function catalogCommands(instance: Instance, caller: Caller): CatalogCommands {
  const { actor, scope } = caller;
  const { reader } = instance.database;
  return {
    setTag: async (target, options) => {
      const { packageId, tag } = objectOf("target", target);
      const { expected, idempotencyKey } = optionsOf(options);
      textOf("package id", packageId);
      assertTag(tag);
      const command = { packageId, tag, expected: expectedOf(expected) };
      const idempotent = idempotentRequest(idempotencyKey, "setTag", command);
      await refuseUncovered(reader, packageId, scope);
      return runCommand(instance, actor, setTag(command), idempotent);
    },

    removeTag: async (target, options) => {
      const { namespace, name, tag } = objectOf("target", target);
      const { expected, idempotencyKey } = optionsOf(options);
      assertTagName({ namespace, name, tag });
      const command = { namespace, name, tag, expected: expectedOf(expected) };
      const idempotent = idempotentRequest(idempotencyKey, "removeTag", command);
      if (!scope.covers(command)) throw unknownTag(command);
      await runCommand(instance, actor, removeTag(command), idempotent);
    },

    registerMetadataSchema: async (input, options) => {
      const { name, schema: given } = objectOf("input", input);
      const { idempotencyKey } = optionsOf(options);
      assertName(name);
      const schema = canonicalSchema(given);
      const request = { name, schema };
      const idempotent = idempotentRequest(idempotencyKey, "registerMetadataSchema", request);
      const prepare = async () => {
        await instance.validator.checkSchema(schema);
        return registerMetadataSchema(request);
      };
      return prepareAndRun(instance, actor, prepare, idempotent);
    },

    setRetention: async (packageId, retentionClass, options) => {
      const { idempotencyKey } = optionsOf(options);
      textOf("package id", packageId);
      textOf("retention class", retentionClass);
      const request = { packageId, retentionClass };
      const idempotent = idempotentRequest(idempotencyKey, "setRetention", request);
      await refuseUncovered(reader, packageId, scope);
      return runCommand(instance, actor, setRetention(packageId, retentionClass), idempotent);
    },

    placeHold: async (packageId, reason, options) => {
      const { idempotencyKey } = optionsOf(options);
      textOf("package id", packageId);
      assertText("reason", reason, limits.reasonBytes);
      const request = { packageId, reason };
      const idempotent = idempotentRequest(idempotencyKey, "placeHold", request);
      await refuseUncovered(reader, packageId, scope);
      const decide = placeHold({ holdId: instance.ids(), ...request });
      return runCommand(instance, actor, decide, idempotent);
    },

    releaseHold: async (holdId, options) => {
      const { idempotencyKey } = optionsOf(options);
      textOf("hold id", holdId);
      const idempotent = idempotentRequest(idempotencyKey, "releaseHold", { holdId });
      await refuseUncoveredHold(reader, holdId, scope);
      return runCommand(instance, actor, releaseHold(holdId), idempotent);
    },
  };
}

/** The id of the package that a tag must target now; one that is no id fits none. */
function expectedOf(expected: string | null | undefined): string | null | undefined {
  if (expected === undefined || expected === null) return expected;
  return textOf("expected package id", expected).slice(0, 80);
}
