import type { SpanContext } from "@opentelemetry/api";

import type { AnsweredRequest } from "../http/serving.ts";

/** Traces of requests, sent to where the environment says. */
export interface Tracing {
  readonly answered: (request: AnsweredRequest) => void;
  /** Sends what is still to be sent. */
  close(): Promise<void>;
}

/**
 * Sends a span for each request, as OpenTelemetry's own variables say; undefined unless
 * `OTEL_EXPORTER_OTLP_ENDPOINT` or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` is set. A request's
 * `traceparent` makes its span a child (W3C Trace Context). The libraries are loaded only then.
 */
export async function openTracing(
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Tracing | undefined> {
  const endpoint =
    environment.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT || environment.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (!endpoint) return undefined;
  const [api, sdk, { OTLPTraceExporter }, resources] = await Promise.all([
    import("@opentelemetry/api"),
    import("@opentelemetry/sdk-trace-node"),
    import("@opentelemetry/exporter-trace-otlp-http"),
    import("@opentelemetry/resources"),
  ]);
  // The provider by itself does not look at OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES.
  const said = resources.detectResources({ detectors: [resources.envDetector] });
  const provider = new sdk.NodeTracerProvider({
    resource: resources
      .defaultResource()
      .merge(resources.resourceFromAttributes({ "service.name": "store" }))
      .merge(said),
    spanProcessors: [new sdk.BatchSpanProcessor(new OTLPTraceExporter())],
  });
  const tracer = provider.getTracer("store");
  return {
    answered: (request) => {
      const endedMs = Date.now();
      const span = tracer.startSpan(
        `${request.method} ${request.operation ?? "none"}`,
        {
          kind: api.SpanKind.SERVER,
          startTime: endedMs - request.durationMs,
          attributes: attributesOf(request),
        },
        parentOf(request.traceParent, api),
      );
      if (request.status >= 500) span.setStatus({ code: api.SpanStatusCode.ERROR });
      span.end(endedMs);
    },
    close: () => provider.shutdown(),
  };
}

function attributesOf(request: AnsweredRequest): Record<string, string | number> {
  const { operation = "none", method, path, status, code, requestId } = request;
  return {
    "http.request.method": method,
    "http.response.status_code": status,
    "url.path": path,
    "store.operation": operation,
    "store.request_id": requestId,
    ...(code === undefined ? {} : { "error.type": code }),
  };
}

/** The caller's span, as `traceparent` names it (W3C Trace Context §3.2). */
function parentOf(text: string | undefined, api: typeof import("@opentelemetry/api")) {
  const parts = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(text ?? "");
  const [, traceId, spanId, flags] = parts ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return api.ROOT_CONTEXT;
  const traceFlags = Number.parseInt(flags, 16);
  const context: SpanContext = { traceId, spanId, traceFlags, isRemote: true };
  if (!api.isSpanContextValid(context)) return api.ROOT_CONTEXT;
  return api.trace.setSpanContext(api.ROOT_CONTEXT, context);
}
