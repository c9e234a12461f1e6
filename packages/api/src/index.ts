export {
  openApiDocument,
  accessProse,
  type OpenApiObject,
  type OpenApiOptions,
} from "./lib/openapi.ts";
export { mapPage, type Page } from "./lib/page.ts";
export { present, type Present } from "./lib/present.ts";
export { problemMediaType, problemSchema, type ProblemJson } from "./lib/problem.ts";
export * from "./lib/resources/account.ts";
export * from "./lib/resources/backend.ts";
export * from "./lib/resources/copy.ts";
export * from "./lib/resources/event.ts";
export * from "./lib/resources/file.ts";
export * from "./lib/resources/metadata-schema.ts";
export * from "./lib/resources/name.ts";
export * from "./lib/resources/object-work.ts";
export * from "./lib/resources/operation.ts";
export * from "./lib/resources/package.ts";
export * from "./lib/resources/retention.ts";
export * from "./lib/resources/upload.ts";
export { linesMediaType } from "./lib/route.ts";
export type {
  Answer,
  BytesContent,
  Content,
  JsonContent,
  Method,
  Route,
  RouteAccess,
  RouteAnswer,
  RouteBody,
  RouteBodyInput,
  RouteParams,
  RouteQuery,
  RouteQueryInput,
  Schema,
} from "./lib/route.ts";
export { routes, type RouteName, type Routes } from "./lib/routes.ts";
