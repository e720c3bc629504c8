/** The artifact of an app that serves, or another of its artifacts: is it what was built, what is in it, what is wrong with it. */
import type { ArtifactView } from '@pavior/contract'
import { Select, Text } from '@mantine/core'
import { IconPackage } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useAppPlace, useApp, useReleases, appPath, type AppPlace } from '../../frame/apps.ts'
import { useSearchParam } from '../../frame/search-params.ts'
import { Ago } from '../../pieces/ago.tsx'
import { CopyCommand } from '../../pieces/copy-button.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { RowsSkeleton } from '../../pieces/page-skeleton.tsx'
import { Section } from '../../pieces/section.tsx'
import { Stats, type Stat } from '../../pieces/stats.tsx'
import { Status } from '../../pieces/status.tsx'
import { Contents } from './contents.tsx'
import { Origin } from './origin.tsx'
import { artifactQuery, artifactsQuery, type ArtifactRow } from './reads.ts'

export default function Artifact() {
  const place = useAppPlace()
  const { data: known, error } = useQuery(artifactsQuery(place))
  const [chosen, choose] = useSearchParam('digest')
  const serving = useServing(place)
  const digest = chosen ?? known?.items.find((one) => one.digest === serving)?.digest ?? known?.items[0]?.digest ?? ''
  const { data: view, error: notRead } = useQuery(artifactQuery(place, digest))
  if (error ?? notRead) return <ErrorState error={(error ?? notRead)!} />
  if (!known) return <RowsSkeleton />
  if (known.items.length === 0) return <EmptyState icon={IconPackage} title="Nothing is known of an artifact yet" text="Every build lists what is in its artifact and signs who made it from what." commands={["pavior deploy"]} />
  return (
    <>
      <Picker items={known.items} digest={digest} serving={serving} choose={choose} />
      {view ? <View place={place} view={view} /> : <RowsSkeleton />}
    </>
  )
}

/** Digest of what serves in production, else anywhere. */
function useServing(place: AppPlace): string | undefined {
  const { resource: app } = useApp(place)
  const { items: releases } = useReleases(place)
  const environments = Object.entries(app?.status?.environments ?? {}).filter(([, { release }]) => release !== undefined)
  const [, serving] = environments.find(([name]) => name === 'production') ?? environments[0] ?? []
  return releases.find(({ spec }) => spec.version === serving?.release)?.spec.artifact
}

function Picker({ items, digest, serving, choose }: { items: ArtifactRow[]; digest: string; serving: string | undefined; choose: (digest: string) => void }) {
  const data = items.map((one) => ({ value: one.digest, label: `${one.digest.slice(7, 19)} · ${one.build}${one.digest === serving ? ' · serves' : ''}` }))
  return <Select aria-label="Artifact" data={data} value={digest} allowDeselect={false} maw={420} mb="md" onChange={(next) => next !== null && choose(next)} />
}

function View({ place, view }: { place: AppPlace; view: ArtifactView }) {
  const { digest, build, at } = view
  return (
    <>
      <Stats stats={statsOf(view)} />
      <Text size="sm" c="dimmed" mb="md">
        Made by <GoLink to={appPath(place, 'builds', build)} underline="always">{build}</GoLink> <Ago at={at} />.
      </Text>
      <Contents view={view} />
      <Origin view={view} />
      <Section title="In a terminal">
        <CopyCommand command={`pavior artifact verify ${place.app} --digest ${digest}`} />
        <CopyCommand command={`pavior artifact sbom ${place.app} --digest ${digest} > ${place.app}.cdx.json`} />
      </Section>
    </>
  )
}

function statsOf({ signature, components, findings, unknownEcosystems, secrets }: ArtifactView): Stat[] {
  const worst = findings.some(({ severity, certain }) => certain && (severity === 'critical' || severity === 'high'))
  const unknown = unknownEcosystems.length > 0
  return [
    { label: 'Signature', value: <Status word={signature.state} tone={signature.state === 'valid' ? 'good' : signature.state === 'missing' ? 'warn' : 'bad'} />, hint: signature.key && `key ${signature.key}` },
    { label: 'Parts of others', value: components.length },
    { label: 'Known holes', value: unknown && findings.length === 0 ? 'unknown' : findings.length, hint: unknown ? `no advisories for ${unknownEcosystems.join(', ')}` : undefined, tone: worst ? 'bad' : findings.length > 0 || unknown ? 'warn' : 'good' },
    { label: 'Secrets in the source', value: secrets.length, tone: secrets.length > 0 ? 'warn' : 'good' },
  ]
}
