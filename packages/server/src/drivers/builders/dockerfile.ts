/**
 * Dockerfile: podman builds the image and leaves its files and its configuration. Podman is root over user ids of its own
 * and over nothing else, so neither it nor a RUN step has a right on the machine. Layers are kept in one store for all apps.
 */
import { fail } from '@pavior/contract'
import type { Builder, StepReason } from '../../rooms/delivery/ports.ts'
import { buildScript } from './dockerfile-script.ts'
import { need, shortVersion } from './toolchain.ts'

const files = ['Dockerfile', 'Containerfile']

export interface ImageSettings {
  /** `host[:port][/path]` that is asked for images of Docker Hub first; empty for none. */
  registryMirror: string
}

export function createDockerfileBuilder({ registryMirror }: ImageSettings): Builder {
  return {
    name: 'dockerfile',
    toolchain: () => ({ name: '' }),
    reads: files,
    tools: ['podman'],
    detect: ({ paths }) => files.find((file) => paths.includes(file)),
    plan: ({ paths, settings }, tools) => {
      const podman = need(tools, 'podman')
      const file = files.find((name) => paths.includes(name))
      if (file === undefined) throw fail('NOT_DETECTED', { message: 'The source has no Dockerfile.', fix: 'Add a Dockerfile at the top, or name its directory in build.directory.' })
      return {
        summary: `podman ${shortVersion(podman)} · ${file}`,
        steps: [{ name: 'image', command: ['sh', '-eu', '-c', buildScript, 'image', file, ...Object.keys(settings.env ?? {}).toSorted()], explain }],
        layers: [],
        env: { REGISTRIES: registriesFile(registryMirror) },
        runtimeEnv: {},
        processes: {},
        tools: [podman],
        runtimeTools: [],
        image: true,
      }
    },
  }
}

/** See containers-registries.conf(5). Names without a registry are those of Docker Hub, as everywhere. */
export function registriesFile(mirror: string): string {
  const search = 'unqualified-search-registries = ["docker.io"]\nshort-name-mode = "permissive"\n'
  if (mirror === '') return search
  // On the machine itself nobody can read along.
  const insecure = /^(localhost|127\.0\.0\.1|\[::1\])([:/]|$)/.test(mirror)
  return `${search}[[registry]]\nprefix = "docker.io"\nlocation = "docker.io"\n[[registry.mirror]]\nlocation = ${JSON.stringify(mirror)}\ninsecure = ${insecure}\n`
}

/** What podman's last words mean. Pure. */
export function explain(lines: readonly string[]): StepReason | undefined {
  const last = lines.findLast((line) => /(^|\s)Error: /.test(line))?.replace(/^.*?Error: /, '')
  if (last === undefined) return undefined
  const missing = /initializing source (?:docker:\/\/)?(\S+?): /.exec(last)?.[1]
  if (missing !== undefined) return baseImageMissing(missing, last)
  const step = /building at STEP "(.*)": (.*)$/s.exec(last)
  if (step) return { why: `${step[1]!.slice(0, 300)} failed: ${reasonOf(step[2]!, lines)}` }
  return { why: last.slice(0, 500) }
}

function baseImageMissing(image: string, last: string): StepReason {
  const registry = /pinging container registry ([^\s:]+(?::\d+)?): Get [^ ]+ (.*)$/.exec(last.slice(last.lastIndexOf('pinging container registry')))
  const denied = /unauthorized|denied|authentication required/i.test(last)
  const why = registry
    ? `It is not on this machine, and the registry ${registry[1]} could not be reached: ${registry[2]!.slice(0, 200)}.`
    : denied
      ? 'It is not on this machine, and the registry does not give it without a login, or has no such image.'
      : `It is not on this machine, and the registry did not give it: ${last.split(': ').slice(-2).join(': ').slice(0, 200)}.`
  return {
    code: 'BASE_IMAGE_UNAVAILABLE',
    message: `The base image ${image} could not be had.`,
    why,
    fix: registry
      ? `On a machine that reaches the registry run \`docker pull ${image} && docker save ${image} -o image.tar\`, and put image.tar into images/archives of the home of Pavior; or name a registry that this machine reaches in PAVIOR_REGISTRY_MIRROR.`
      : `Correct the FROM line; or put the image, as \`docker save ${image}\` writes it, into images/archives of the home of Pavior.`,
    facts: { image },
  }
}

/** What the command of a RUN step said before it ended, rather than that it did. */
function reasonOf(ending: string, lines: readonly string[]): string {
  const said = lines.filter((line) => line.trim() !== '' && !/^(\[\d+\/\d+\] )?STEP |^subprocess exited|^-->|Error: /.test(line)).at(-1)
  return said === undefined ? ending : `${ending}. Its last line was: ${said.slice(0, 300)}`
}
