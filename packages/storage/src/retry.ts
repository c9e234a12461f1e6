export { withRetries, type RetryOptions } from "./lib/retries.ts";
