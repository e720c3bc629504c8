/** What an instance gets so that OpenTelemetry's SDKs send here without anything to configure. Pure. */

/** The agent puts the name of the instance in its place. */
const instanceReference = '$(PAVIOR_INSTANCE)'

export interface ExporterOf {
  team: string
  app: string
  environment: string
  /** Undefined for one-off work. */
  release?: number
}

/** Variables of the OpenTelemetry specification (https://opentelemetry.io/docs/specs/otel/protocol/exporter/). `token` is a secret. */
export function exporterVariables(endpoint: string, token: string, { team, app, environment, release }: ExporterOf): Record<string, string> {
  const attributes = [
    ['service.namespace', team],
    ['service.instance.id', instanceReference],
    ['deployment.environment.name', environment],
    ...(release === undefined ? [] : [['service.version', `v${release}`]]),
  ]
  return {
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    OTEL_EXPORTER_OTLP_HEADERS: `Authorization=Bearer%20${encodeURIComponent(token)}`,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
    OTEL_SERVICE_NAME: app,
    OTEL_RESOURCE_ATTRIBUTES: attributes.map((pair) => pair.join('=')).join(','),
  }
}
