import { toJsonSchema } from "@valibot/to-json-schema";

import { problemMediaType, problemSchema } from "./problem.ts";
import type { Answer, Content, Route, RouteAccess, Schema } from "./route.ts";
import { routes } from "./routes.ts";

/** A JSON object of an OpenAPI document. */
export interface OpenApiObject {
  readonly [key: string]: unknown;
}

export interface OpenApiOptions {
  /** The version of the software that serves it. */
  readonly version: string;
}

/** Whom `access` admits, as a reader of the document is told. */
export const accessProse: Readonly<Record<RouteAccess, string>> = {
  public: "Everybody; no credential is needed.",
  authenticated: "Every caller with a credential.",
  reader: "Every caller who may read something; the answer holds only what the caller may read.",
  writer: "Every caller with a `write` scope.",
  read: "Callers with `read` over the name; to all others it does not exist.",
  write: "Callers with `write` over the name.",
  admin: "Callers with `admin` over the name.",
  instance: "Callers with `admin:*`.",
  metrics: "Callers with the scope `metrics`.",
  setup: "Callers with `admin:*`, or with the setup token while there is no user.",
};

/** The OpenAPI 3.1 document of the API; made of the routes alone. */
export function openApiDocument({ version }: OpenApiOptions): OpenApiObject {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const [name, route] of Object.entries<Route>(routes)) {
    (paths[route.path] ??= {})[route.method.toLowerCase()] = operationOf(name, route);
  }
  return {
    openapi: "3.1.1",
    info: {
      title: "Store",
      version,
      summary: "A content-addressed artifact store and package registry.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    paths,
    components: {
      schemas: { Problem: jsonSchemaOf(problemSchema, "output") },
      securitySchemes: {
        bearer: {
          type: "http",
          scheme: "bearer",
          description: "An access token of a session, or an API token (`store_…`).",
        },
      },
    },
    security: [{ bearer: [] }],
  };
}

function operationOf(name: string, route: Route): OpenApiObject {
  const { summary, description, tag, access, body } = route;
  const prose = [description, accessProse[access]].filter((text) => text !== undefined);
  return {
    operationId: name,
    tags: [tag],
    summary,
    description: prose.join("\n\n"),
    "x-store-access": access,
    ...(access === "public" ? { security: [] } : {}),
    parameters: parametersOf(route),
    ...(body === undefined
      ? {}
      : { requestBody: { required: isRequired(body), content: contentOf(body, "input") } }),
    responses: {
      ...Object.fromEntries(
        Object.entries(route.answers).map(([status, answer]) => [status, responseOf(answer)]),
      ),
      default: {
        description: "An error, as a problem (RFC 9457).",
        content: { [problemMediaType]: { schema: { $ref: "#/components/schemas/Problem" } } },
      },
    },
  };
}

function isRequired(body: Content): boolean {
  return body.kind === "json" && body.optional !== true;
}

function parametersOf({ params, query, headers = {} }: Route): OpenApiObject[] {
  return [
    ...fieldsOf(params).map(({ name, schema }) => parameter("path", name, schema, true)),
    ...fieldsOf(query).map(({ name, schema, required }) =>
      parameter("query", name, schema, required),
    ),
    ...Object.entries(headers).map(([name, description]) =>
      parameter("header", name, { type: "string", description }, false),
    ),
  ];
}

function parameter(place: string, name: string, schema: OpenApiObject, required: boolean) {
  const { description, ...rest } = schema;
  return {
    in: place,
    name,
    required,
    ...(description === undefined ? {} : { description }),
    schema: rest,
  };
}

function responseOf({ description, content, alternatives = [], headers = {} }: Answer) {
  const contents = [...(content === undefined ? [] : [content]), ...alternatives];
  return {
    description,
    ...(contents.length === 0
      ? {}
      : { content: Object.assign({}, ...contents.map((one) => contentOf(one, "output"))) }),
    ...(Object.keys(headers).length === 0 ? {} : { headers: headersOf(headers) }),
  };
}

function headersOf(headers: Readonly<Record<string, string>>): OpenApiObject {
  return Object.fromEntries(
    Object.entries(headers).map(([name, description]) => [
      name,
      { description, schema: { type: "string" } },
    ]),
  );
}

function contentOf(content: Content, side: "input" | "output"): OpenApiObject {
  if (content.kind === "json") {
    return { "application/json": { schema: jsonSchemaOf(content.schema, side) } };
  }
  const described = content.line === undefined ? {} : { schema: jsonSchemaOf(content.line, side) };
  return Object.fromEntries(content.mediaTypes.map((mediaType) => [mediaType, described]));
}

interface Field {
  readonly name: string;
  readonly schema: OpenApiObject;
  readonly required: boolean;
}

/** The entries of an object schema, as they come over the wire. */
function fieldsOf(schema: Schema | undefined): Field[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = jsonSchemaOf(schema, "input") as {
    readonly properties?: Readonly<Record<string, OpenApiObject>>;
    readonly required?: readonly string[];
  };
  return Object.entries(properties).map(([name, property]) => ({
    name,
    schema: property,
    required: required.includes(name),
  }));
}

function jsonSchemaOf(schema: Schema, side: "input" | "output"): OpenApiObject {
  const { $schema: _, ...rest } = toJsonSchema(schema, {
    typeMode: side,
    errorMode: "ignore",
    overrideAction: ({ valibotAction, jsonSchema }) => {
      if (valibotAction.type !== "metadata") return undefined;
      return { ...jsonSchema, ...(valibotAction as { metadata?: object }).metadata };
    },
  });
  return rest;
}
