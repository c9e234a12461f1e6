import { accessProse, routes, type OpenApiObject, type Route } from "@store/api";

import { curlExample, type ExampleParameter } from "./curl-example.ts";
import { html, Html, prose } from "./html.ts";
import { limitsText, schemaText, typeText, type JsonSchema } from "./schema-text.ts";
import { stylesheet } from "./stylesheet.ts";

interface OpenApiOperation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly parameters: readonly (ExampleParameter & { readonly description?: string })[];
  readonly requestBody?: { readonly required: boolean; readonly content: Contents };
  readonly responses: Readonly<Record<string, OpenApiResponse>>;
}

interface OpenApiResponse {
  readonly description: string;
  readonly content?: Contents;
  readonly headers?: Readonly<Record<string, { readonly description: string }>>;
}

type Contents = Readonly<Record<string, { readonly schema?: JsonSchema }>>;

// Its hash is of every character, so no formatter may add one.
const style = new Html(`<style>${stylesheet}</style>`);

/** The OpenAPI document as one page for people, which loads nothing. */
export function renderReference(document: OpenApiObject): string {
  const { paths, info } = document as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>;
    readonly info: { readonly title: string; readonly version: string; readonly summary: string };
  };
  const operations = Object.values(paths).flatMap((methods) => Object.values(methods));
  const byTag = Map.groupBy(operations, (operation) => operation.tags[0] ?? "");
  const tags = [...byTag].map(([tag, members]) => ({ tag, members, anchor: anchorOf(tag) }));
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${info.title} HTTP API</title>
        ${style}
      </head>
      <body>
        <nav aria-label="Operations">
          <a href="#top">${info.title} ${info.version}</a>
          ${tags.map(({ tag, members }) => navigation(tag, members))}
        </nav>
        <main id="top">
          <h1>${info.title} HTTP API</h1>
          <p>${info.summary} The same as <a href="/openapi.json">OpenAPI 3.1</a>.</p>
          ${introduction()}
          ${tags.map(
            ({ tag, members, anchor }) =>
              html`<section id="${anchor}">
                <h2>${tag}</h2>
                ${members.map((one) => article(one))}
              </section> `,
          )}
        </main>
      </body>
    </html> `;
  return page.text;
}

function introduction(): Html {
  return html`<p>
      ${prose(
        "A credential is sent as `Authorization: Bearer …`: an access token of a session, or an API " +
          "token (`store_…`). The examples take it from `STORE_TOKEN`, and the server from `STORE_URL`.",
      )}
    </p>
    <p>
      ${prose(
        "Every error is `application/problem+json` (RFC 9457): `code` says what went wrong, `detail` " +
          "says it in words, `requestId` finds it in the server's log. Every list has pages: pass the " +
          "`cursor` of one to get the next; at the end there is none.",
      )}
    </p>`;
}

function navigation(tag: string, members: readonly OpenApiOperation[]): Html {
  const links = members.map(
    ({ operationId, summary }) => html`<li><a href="#${operationId}">${summary}</a></li>`,
  );
  return html`<h2>${tag}</h2>
    <ul>
      ${links}
    </ul> `;
}

function article(operation: OpenApiOperation): Html {
  const { operationId, summary } = operation;
  const route = routeNamed(operationId);
  const description =
    route.description === undefined ? html`` : html`<p>${prose(route.description)}</p>`;
  return html`<article id="${operationId}">
    <h3>${summary}</h3>
    <p class="place"><span class="method">${route.method}</span> ${route.path}</p>
    ${description}
    <p class="access">${prose(accessProse[route.access])}</p>
    ${parameters(operation)}${requestBody(operation)}${responses(operation)}
    <h4>Example</h4>
    <pre><code>${example(operation, route)}</code></pre>
  </article> `;
}

function routeNamed(name: string): Route {
  const all: Readonly<Record<string, Route>> = routes;
  const route = all[name];
  if (route === undefined) throw new TypeError(`There is no operation '${name}'.`);
  return route;
}

function parameters({ parameters: all }: OpenApiOperation): Html {
  if (all.length === 0) return html``;
  const rows = all.map(({ in: place, name, required, description = "", schema }) => {
    const type = typeText(schema);
    const limits = limitsText(schema);
    const notes = [required ? "" : "optional", type === "string" ? "" : type, limits];
    const note = notes.filter((text) => text !== "").join(", ");
    return html`<tr>
      <td><code>${name}</code></td>
      <td>${place}</td>
      <td>${prose(description)} <span class="note">${note}</span></td>
    </tr> `;
  });
  return html`<h4>Parameters</h4>
    <table>
      <thead>
        <tr>
          <th>Name</th>
          <th>In</th>
          <th>Meaning</th>
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table> `;
}

function requestBody({ requestBody: body }: OpenApiOperation): Html {
  if (body === undefined) return html``;
  const note = body.required ? "" : "It may be left out.";
  return html`<h4>Body</h4>
    ${contents(body.content)}
    <p class="note">${note}</p>`;
}

function responses({ responses: all }: OpenApiOperation): Html {
  const rendered = Object.entries(all)
    .filter(([status]) => status !== "default")
    .map(([status, { description, content = {}, headers = {} }]) => {
      const fields = Object.entries(headers).map(
        ([name, header]) => html`<li><code>${name}</code> ${prose(header.description)}</li>`,
      );
      const list =
        fields.length === 0
          ? html``
          : html`<ul>
              ${fields}
            </ul>`;
      const summary = html`<summary><strong>${status}</strong> ${prose(description)}</summary>`;
      return html`<details open>${summary}${list}${contents(content)}</details> `;
    });
  return html`<h4>Answers</h4>
    ${rendered}`;
}

function contents(content: Contents): Html {
  const parts = Object.entries(content).map(([mediaType, { schema }]) => {
    const shape = schema === undefined ? html`` : schemaText(schema);
    return html`<div><code>${mediaType}</code>${shape}</div>`;
  });
  return html`${parts}`;
}

function example(operation: OpenApiOperation, route: Route): string {
  const { body } = route;
  const schema = operation.requestBody?.content["application/json"]?.schema;
  const success = Object.entries(route.answers).find(([status]) => status.startsWith("2"))?.[1];
  return curlExample({
    method: route.method,
    path: route.path,
    isPublic: route.access === "public",
    parameters: operation.parameters,
    ...(body === undefined
      ? {}
      : { body: { kind: body.kind, ...(schema === undefined ? {} : { schema }) } }),
    answersBytes: success?.content?.kind === "bytes",
  });
}

function anchorOf(tag: string): string {
  return `tag-${tag.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")}`;
}
