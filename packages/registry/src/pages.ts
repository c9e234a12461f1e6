export { cursorOf, pageLimit, pageOf, type Cursor } from "./lib/queries/pages.ts";
