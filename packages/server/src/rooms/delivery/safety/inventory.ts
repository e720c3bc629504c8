/** Pure: parts of an artifact that somebody else wrote, from the files by which each package manager remembers them. */
import type { ArtifactComponent } from '@pavior/contract'
import { parse as parseToml } from 'smol-toml'
import { licencesOf } from './licences.ts'

/** Reads one file into components; a file that cannot be read gives none. */
interface Reader {
  matches: (path: string) => boolean
  /** Only where no file of the artifact told anything of the ecosystem. */
  lock?: boolean
  read: (text: string, path: string) => ArtifactComponent[]
}

const purlTypes: Record<string, string> = { npm: 'npm', PyPI: 'pypi', Go: 'golang', 'crates.io': 'cargo', RubyGems: 'gem', Packagist: 'composer', Maven: 'maven', Debian: 'deb/debian', Ubuntu: 'deb/ubuntu', Alpine: 'apk/alpine' }

export function component(ecosystem: string, name: string, version: string, licences: string[] = [], from: ArtifactComponent['from'] = 'artifact'): ArtifactComponent {
  const parts = ecosystem === 'Maven' ? name.split(':') : name.split('/')
  const path = parts.map((part) => encodeURIComponent(part).replaceAll('%2B', '+')).join('/')
  return { ecosystem, name, version, purl: `pkg:${purlTypes[ecosystem.split(':', 1)[0]!] ?? 'generic'}/${path}@${encodeURIComponent(version)}`, licences, from }
}

const text = (value: unknown): string => (typeof value === 'string' ? value.trim() : '')
const record = (value: unknown): Record<string, unknown> => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {})
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])

const npm: Reader = {
  matches: (path) => /(^|\/)node_modules\/(@[^/]+\/)?[^/@.][^/]*\/package\.json$/.test(path),
  read: (content) => {
    const { name, version, license, licenses } = record(JSON.parse(content))
    if (!text(name) || !text(version)) return []
    const said = [license, ...list(licenses)].map((one) => text(one) || text(record(one).type)).filter(Boolean)
    return [component('npm', text(name), text(version), licencesOf(said))]
  },
}

const npmLock: Reader = {
  lock: true,
  matches: (path) => path === 'package-lock.json' || path === 'npm-shrinkwrap.json',
  read: (content) =>
    Object.entries(record(record(JSON.parse(content)).packages)).flatMap(([path, value]) => {
      const { version, dev, link, license, name } = record(value)
      if (!path.includes('node_modules/') || dev === true || link === true || !text(version)) return []
      return [component('npm', text(name) || path.slice(path.lastIndexOf('node_modules/') + 13), text(version), licencesOf([text(license)].filter(Boolean)), 'lock')]
    }),
}

const python: Reader = {
  matches: (path) => /(^|\/)[^/]+\.(dist|egg)-info\/(METADATA|PKG-INFO)$/.test(path),
  read: (content) => {
    const head = content.split(/\r?\n\r?\n/, 1)[0]!
    const field = (name: string): string[] => [...head.matchAll(new RegExp(`^${name}: (.+)$`, 'gim'))].map((match) => match[1]!.trim())
    const [name] = field('Name')
    const [version] = field('Version')
    if (!name || !version) return []
    const classified = field('Classifier').flatMap((one) => /^License :: (?:OSI Approved :: )?(.+)$/.exec(one)?.[1] ?? [])
    const said = field('License-Expression')
    return [component('PyPI', name.toLowerCase().replaceAll(/[-_.]+/g, '-'), version, licencesOf(said.length > 0 ? said : classified.length > 0 ? classified : field('License').filter((one) => one.length < 60 && one !== 'UNKNOWN')))]
  },
}

const goModules: Reader = {
  lock: true,
  matches: (path) => path === 'go.mod',
  read: (content) => {
    const required = [...content.matchAll(/^\s*(?:require\s+)?([a-z0-9.-]+\.[a-z]+\/[^\s()]+|[a-z0-9.-]+\.[a-z]+)\s+(v[^\s/]+)/gm)]
    return required.map(([, name, version]) => component('Go', name!, version!, [], 'lock'))
  },
}

const crates: Reader = {
  lock: true,
  matches: (path) => path === 'Cargo.lock',
  read: (content) =>
    list(record(parseToml(content)).package).flatMap((one) => {
      const { name, version, source } = record(one)
      // Without a source it is the app itself, or a part of its workspace.
      return text(source) && text(name) && text(version) ? [component('crates.io', text(name), text(version), [], 'lock')] : []
    }),
}

const gems: Reader = {
  lock: true,
  matches: (path) => path === 'Gemfile.lock',
  read: (content) => {
    const specs = content.split(/^GEM$/m).slice(1).flatMap((section) => section.split(/^\S/m, 1)[0]!.split('\n'))
    return specs.flatMap((line) => {
      const match = /^ {4}(\S+) \(([^)\s]+?)(?:-(?:x86_64|aarch64|arm64|java|x64)[^)]*)?\)$/.exec(line)
      return match ? [component('RubyGems', match[1]!, match[2]!, [], 'lock')] : []
    })
  },
}

const composer: Reader = {
  matches: (path) => /(^|\/)vendor\/composer\/installed\.json$/.test(path),
  read: (content) => {
    const parsed: unknown = JSON.parse(content)
    return list(Array.isArray(parsed) ? parsed : record(parsed).packages).flatMap((one) => {
      const { name, version, license } = record(one)
      return text(name) && text(version) ? [component('Packagist', text(name), text(version).replace(/^v/, ''), licencesOf(list(license).map(text).filter(Boolean)))] : []
    })
  },
}

/** `pom.properties` of a jar: one that lies in the tree, or one that was found inside of a jar. */
const maven: Reader = {
  matches: (path) => /(^|\/)META-INF\/maven\/[^/]+\/[^/]+\/pom\.properties$/.test(path),
  read: (content) => {
    const field = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(content)?.[1]?.trim() ?? ''
    const [group, artifact, version] = [field('groupId'), field('artifactId'), field('version')]
    return group && artifact && version ? [component('Maven', `${group}:${artifact}`, version)] : []
  },
}

const debian: Reader = {
  matches: (path) => path === 'var/lib/dpkg/status' || /^var\/lib\/dpkg\/status\.d\/[^/]+$/.test(path),
  read: (content) =>
    content.split(/\n\n+/).flatMap((block) => {
      const field = (name: string): string => new RegExp(`^${name}: (.+)$`, 'm').exec(block)?.[1]?.trim() ?? ''
      const [source, sourceVersion] = field('Source').split(/[ ()]+/)
      const version = sourceVersion || field('Version')
      // Distroless images say no status.
      const installed = field('Status') === '' || field('Status').endsWith(' installed')
      return installed && field('Package') && version ? [component('Debian', source || field('Package'), version)] : []
    }),
}

const alpine: Reader = {
  matches: (path) => path === 'lib/apk/db/installed' || path === 'usr/lib/apk/db/installed',
  read: (content) =>
    content.split(/\n\n+/).flatMap((block) => {
      const field = (name: string): string => new RegExp(`^${name}:(.+)$`, 'm').exec(block)?.[1]?.trim() ?? ''
      return field('P') && field('V') ? [component('Alpine', field('o') || field('P'), field('V'), licencesOf([field('L')].filter(Boolean)))] : []
    }),
}

export const readers: readonly Reader[] = [npm, npmLock, python, goModules, crates, gems, composer, maven, debian, alpine]

/** What a distribution calls its release in OSV: `Debian:12`, `Alpine:v3.20`. */
export function distributionOf(osRelease: string): { ecosystem: 'Debian' | 'Alpine'; suffix: string } | undefined {
  const field = (name: string): string => new RegExp(`^${name}="?([^"\\n]*)"?$`, 'm').exec(osRelease)?.[1] ?? ''
  if (field('ID') === 'debian') return { ecosystem: 'Debian', suffix: field('VERSION_ID') }
  if (field('ID') === 'alpine') return { ecosystem: 'Alpine', suffix: `v${field('VERSION_ID').split('.').slice(0, 2).join('.')}` }
  return undefined
}

export interface ReadFile {
  path: string
  text: string
  /** Of the artifact, or only of the source that it was made from. */
  of: 'artifact' | 'source'
}

/** Every component once, in order; what locks tell counts only for ecosystems of which the artifact itself shows nothing. */
export function componentsOf(files: readonly ReadFile[], osRelease = ''): ArtifactComponent[] {
  const distribution = distributionOf(osRelease)
  const found: ArtifactComponent[] = []
  for (const { path, text: content, of } of files) {
    for (const reader of readers) {
      if (!reader.matches(path) || (of === 'source' && !reader.lock)) continue
      try {
        found.push(...reader.read(content, path))
      } catch {
        // What is not what its name says tells nothing; the others do.
      }
    }
  }
  const seen = new Set(found.filter(({ from }) => from === 'artifact').map(({ ecosystem }) => ecosystem))
  const counted = found
    .filter(({ from, ecosystem }) => from === 'artifact' || !seen.has(ecosystem))
    .map((one) => (one.ecosystem === distribution?.ecosystem ? { ...one, ecosystem: `${one.ecosystem}:${distribution.suffix}` } : one))
  const once = new Map(counted.map((one) => [`${one.ecosystem} ${one.name} ${one.version}`, one]))
  return [...once.values()].toSorted((one, other) => (one.purl < other.purl ? -1 : one.purl > other.purl ? 1 : 0))
}
