/** What figures are reckoned from. */
import type { AlertSpec, AlertStatus, BuildSpec, BuildStatus, DeploymentSpec, DeploymentStatus, IncidentSpec, IncidentStatus, ReleaseSpec, Resource, SloSpec, SloStatus } from '@pavior/contract'

export type Alert = Resource<AlertSpec, AlertStatus>
export type Build = Resource<BuildSpec, BuildStatus>
export type Deployment = Resource<DeploymentSpec, DeploymentStatus>
export type Incident = Resource<IncidentSpec, IncidentStatus>
export type Release = Resource<ReleaseSpec>
export type Slo = Resource<SloSpec, SloStatus>

export interface FiguresOf {
  deployments: readonly Deployment[]
  /** When the source of a release arrived; undefined when that is not remembered, or the release is not a new source. */
  arrived: (team: string, app: string, release: number) => string | undefined
  slos: readonly Slo[]
  incidents: readonly Incident[]
  alerts: readonly Alert[]
}
