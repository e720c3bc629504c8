/** Rust: release binaries by Cargo. */
import { fail } from '@pavior/contract'
import { parse } from 'smol-toml'
import type { Builder, BuildPlan, HostTools, SourceFacts } from '../../rooms/delivery/ports.ts'
import { need, shortVersion } from './toolchain.ts'

interface CargoToml {
  package?: { name?: string; 'default-run'?: string }
  bin?: { name?: string }[]
  workspace?: { members?: string[] }
}

export const rustBuilder: Builder = {
  name: 'rust',
  reads: ['Cargo.toml', 'Cargo.lock', 'rust-toolchain', 'rust-toolchain.toml', 'Procfile'],
  tools: ['cargo'],
  detect: ({ paths }) => (paths.includes('Cargo.toml') ? 'Cargo.toml' : undefined),
  toolchain: ({ texts }) => ({ name: 'cargo', asked: askedRust(texts) }),
  plan,
}

/** A toolchain file is a demand, `rust-version` a lower bound. */
function askedRust(texts: SourceFacts['texts']): string | undefined {
  const file = texts['rust-toolchain.toml'] ?? texts['rust-toolchain']
  const channel = /^\s*channel\s*=\s*"([^"]+)"/m.exec(file ?? '')?.[1] ?? /^\s*(\d[\w.-]*)\s*$/m.exec(file ?? '')?.[1]
  return channel ?? /^\s*rust-version\s*=\s*"([^"]+)"/m.exec(texts['Cargo.toml'] ?? '')?.[1]
}

function readCargo(texts: SourceFacts['texts']): CargoToml {
  try {
    return parse(texts['Cargo.toml'] ?? '') as CargoToml
  } catch (error) {
    throw fail('MANIFEST_INVALID', { message: `Cargo.toml is not valid TOML: ${(error as Error).message.split('\n')[0]}` })
  }
}

/** Name of the program that serves: `default-run`, else the one named like the package, else the only or first other. */
export function mainBinary(cargo: CargoToml, paths: readonly string[]): string | undefined {
  const extra = [...(cargo.bin ?? []).flatMap(({ name }) => name ?? []), ...paths.flatMap((path) => /^src\/bin\/([^/]+?)(?:\.rs|\/main\.rs)$/.exec(path)?.[1] ?? [])]
  const { name, 'default-run': chosen } = cargo.package ?? {}
  if (chosen !== undefined) return chosen
  if (cargo.bin?.length === 1) return cargo.bin[0]!.name ?? name
  if (paths.includes('src/main.rs')) return name
  return ['web', 'server'].find((wanted) => extra.includes(wanted)) ?? extra.toSorted()[0]
}

function plan({ paths, texts, settings }: SourceFacts, tools: HostTools): BuildPlan {
  const cargo = need(tools, 'cargo')
  const manifest = readCargo(texts)
  const member = manifest.package === undefined ? virtualMember(manifest, paths) : '.'
  const binary = member === '.' ? mainBinary(manifest, paths) : member.split('/').at(-1)
  if (binary === undefined && texts.Procfile === undefined) {
    throw fail('PROCESS_MISSING', { message: 'Cargo.toml describes a library; there is no program to run.', fix: 'Add src/main.rs or a [[bin]], or a Procfile with a line "web: <command>".' })
  }
  const locked = paths.includes('Cargo.lock') ? ['--locked'] : []
  const install = ['cargo', 'install', '--path', member, '--root', '.', '--no-track', '--force', ...locked]
  return {
    summary: [`rust ${shortVersion(cargo)}`, settings.command ?? 'cargo, release'].join(' · '),
    steps: [{ name: 'build', command: settings.command === undefined ? install : ['sh', '-ec', settings.command] }],
    layers: [],
    env: { CARGO_HOME: '/cache/cargo', CARGO_TARGET_DIR: '/cache/cargo-target', CARGO_TERM_COLOR: 'never', CARGO_TERM_PROGRESS_WHEN: 'never' },
    bin: ['bin'],
    runtimeEnv: {},
    processes: binary === undefined ? {} : { web: { command: `bin/${binary}` } },
    tools: [cargo],
    runtimeTools: [],
    // Sources are compiled away; templates and other files stay, since programs read them at run time.
    omit: settings.command === undefined ? ['target', ...paths.filter((path) => path.endsWith('.rs') || path === 'Cargo.lock' || path.endsWith('Cargo.toml'))] : [],
  }
}

/** The member of a workspace without a package of its own that has a program. */
function virtualMember({ workspace }: CargoToml, paths: readonly string[]): string {
  const programs = paths.flatMap((path) => /^(.+)\/src\/main\.rs$/.exec(path)?.[1] ?? [])
  const member = programs.find((path) => /(^|\/)(web|server|api|app)$/.test(path)) ?? programs[0]
  if (member === undefined) throw fail('PROCESS_MISSING', { message: `The Cargo workspace${workspace === undefined ? '' : ` of ${workspace.members?.length ?? 0} members`} has no src/main.rs in any of its members.`, fix: 'Set build.directory in pavior.yaml to the member that is the app.' })
  return member
}
