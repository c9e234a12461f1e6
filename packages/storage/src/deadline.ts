export { withDeadlines, type DeadlineOptions } from "./lib/deadlines.ts";
