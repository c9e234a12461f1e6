export { withCache, type CacheOptions } from "./lib/caching.ts";
