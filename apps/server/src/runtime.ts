export {
  openInstance,
  openInstanceDatabase,
  openInstanceParts,
  type Instance,
  type InstanceParts,
  type OpenInstanceOptions,
} from "./lib/instance.ts";
export { openBackends } from "./lib/storage/open-backends.ts";
export { redactUrl } from "./lib/redact.ts";
export { readSettings, settingNames, type GivenSettings, type Settings } from "./lib/settings.ts";
