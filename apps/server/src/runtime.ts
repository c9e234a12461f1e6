export {
  openInstance,
  openInstanceDatabase,
  type Instance,
  type OpenInstanceOptions,
} from "./lib/instance.ts";
export { redactUrl } from "./lib/redact.ts";
export { readSettings, settingNames, type GivenSettings, type Settings } from "./lib/settings.ts";
