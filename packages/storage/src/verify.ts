export { withVerifiedReads } from "./lib/verified-reads.ts";
