import * as v from "valibot";

import { bytes, defineRoute, json } from "../route.ts";

const tag = "System";

/** What answers without a credential, and what machines watch. */
export const systemRoutes = {
  getHealth: defineRoute({
    method: "GET",
    path: "/health",
    tag,
    summary: "Say that the process answers",
    access: "public",
    answers: {
      200: { description: "It does.", content: json(v.object({ status: v.literal("ok") })) },
    },
  }),
  getReadiness: defineRoute({
    method: "GET",
    path: "/health/ready",
    tag,
    summary: "Say whether the instance can work",
    description: "The reasons are not told here: see `/api/v1/admin/health`.",
    access: "public",
    answers: {
      200: { description: "It can.", content: json(v.object({ status: v.literal("ready") })) },
    },
  }),
  getOpenApi: defineRoute({
    method: "GET",
    path: "/openapi.json",
    tag,
    summary: "Describe this API as OpenAPI 3.1",
    access: "public",
    answers: {
      200: { description: "The document.", content: json(v.record(v.string(), v.unknown())) },
    },
  }),
  getDocs: defineRoute({
    method: "GET",
    path: "/docs",
    tag,
    summary: "Show this reference",
    access: "public",
    answers: { 200: { description: "A page.", content: bytes("text/html") } },
  }),
  getMetrics: defineRoute({
    method: "GET",
    path: "/metrics",
    tag,
    summary: "Give the metrics of the server in the text format of Prometheus",
    access: "metrics",
    answers: { 200: { description: "The metrics.", content: bytes("text/plain") } },
  }),
};
