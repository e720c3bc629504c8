/** Go: one program, from the main package at the top or the first below `cmd/`. */
import { fail } from '@pavior/contract'
import type { Builder, BuildPlan, HostTools, SourceFacts } from '../../rooms/delivery/ports.ts'
import { need, shortVersion } from './toolchain.ts'

const program = 'bin/web'

export const goBuilder: Builder = {
  name: 'go',
  reads: ['go.mod', 'go.work', 'main.go', 'Procfile'],
  tools: ['go'],
  detect: ({ paths }) => ['go.mod', 'go.work', 'main.go'].find((file) => paths.includes(file)),
  toolchain: ({ texts }) => ({ name: 'go', asked: /^(?:toolchain\s+go|go\s+)(\d\S*)/m.exec(texts['go.mod'] ?? texts['go.work'] ?? '')?.[1] }),
  plan,
}

/** Directories with a main package, as their layout tells: the top, then `cmd/*` with `web` and `server` first. */
export function mainPackages({ paths, texts }: Pick<SourceFacts, 'paths' | 'texts'>): string[] {
  const top = paths.some((path) => /^[^/]+\.go$/.test(path) && !path.endsWith('_test.go'))
  const isMain = texts['main.go'] === undefined || /^package main\b/m.test(texts['main.go'])
  const commands = [...new Set(paths.flatMap((path) => /^cmd\/([^/]+)\/[^/]+\.go$/.exec(path)?.[1] ?? []))].toSorted()
  const preferred = ['web', 'server', 'api', 'app']
  const rank = (name: string): number => (preferred.indexOf(name) + preferred.length + 1) % (preferred.length + 1)
  const ordered = commands.toSorted((one, other) => rank(one) - rank(other)).map((name) => `./cmd/${name}`)
  const flat = paths.some((path) => /^cmd\/[^/]+\.go$/.test(path)) ? ['./cmd'] : []
  // A library at the top with commands below is common; a main.go says plainly what it is.
  if (texts['main.go'] !== undefined && isMain) return ['.', ...ordered, ...flat]
  return ordered.length + flat.length > 0 ? [...ordered, ...flat] : top && isMain ? ['.'] : []
}

function plan(source: SourceFacts, tools: HostTools): BuildPlan {
  const { paths, texts, settings } = source
  const go = need(tools, 'go')
  const [main, ...others] = mainPackages(source)
  if (main === undefined && settings.command === undefined) {
    throw fail('PROCESS_MISSING', { message: 'The Go source has no main package at its top and none below cmd/.', fix: 'Put the program at the top or into cmd/<name>, or set build.command in pavior.yaml to what builds it into bin/web.' })
  }
  // A Procfile names programs below bin/ by their own names.
  const named = texts.Procfile === undefined ? [] : [main, ...others].flatMap((directory) => (directory === undefined || directory === '.' ? [] : [directory]))
  const moduleName = /^module\s+"?(\S+?)"?\s*$/m.exec(texts['go.mod'] ?? '')?.[1]?.split('/').findLast((part) => !/^v\d+$/.test(part))
  const build = (output: string, directory: string): string[] => ['go', 'build', '-trimpath', '-o', output, directory]
  const steps = settings.command === undefined
    ? [
        { name: 'build', command: build(program, texts['go.mod'] === undefined && paths.includes('main.go') ? 'main.go' : main!) },
        ...named.map((directory) => ({ name: `build-${directory.replace('./cmd/', '').replace('./', '')}`, command: build(`bin/${directory.split('/').at(-1)}`, directory) })),
        ...(texts.Procfile !== undefined && main === '.' && moduleName !== undefined && moduleName !== 'web' ? [{ name: 'name', command: ['cp', program, `bin/${moduleName}`] }] : []),
      ]
    : [{ name: 'build', command: ['sh', '-ec', settings.command] }]
  return {
    summary: [`go ${shortVersion(go)}`, settings.command ?? `go build ${main}`].join(' · '),
    steps,
    layers: [],
    env: { GOCACHE: '/cache/go-build', GOMODCACHE: '/cache/go-mod', GOPATH: '/cache/go', GOFLAGS: goFlags(texts, paths), GO111MODULE: texts['go.mod'] === undefined && texts['go.work'] === undefined ? 'off' : 'on', GOTELEMETRY: 'off' },
    bin: ['bin'],
    runtimeEnv: {},
    processes: { web: { command: program } },
    tools: [go],
    runtimeTools: [],
    // What is compiled is not needed any more; templates and other files stay, since programs read them at run time.
    omit: settings.command === undefined ? compiledAway(paths) : [],
  }
}

/** `-modcacherw`: the cache is removed like any directory. Version control data is not part of a source, so none is looked for. */
function goFlags(_texts: SourceFacts['texts'], paths: readonly string[]): string {
  return ['-buildvcs=false', '-modcacherw', ...(paths.includes('vendor/modules.txt') ? ['-mod=vendor'] : [])].join(' ')
}

function compiledAway(paths: readonly string[]): string[] {
  const tops = paths.includes('vendor/modules.txt') ? ['vendor'] : []
  return [...tops, ...paths.filter((path) => !tops.some((top) => path.startsWith(`${top}/`)) && (path.endsWith('.go') || path === 'go.sum' || path === 'go.mod'))]
}
