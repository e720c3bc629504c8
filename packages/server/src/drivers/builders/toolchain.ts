/** Asking for the programs that a build cannot do without. Pure. */
import { fail } from '@pavior/contract'
import type { HostTools, Tool } from '../../rooms/delivery/ports.ts'

/** How each program is got, for people whose machine lacks it. */
const remedies: Record<string, [string, string]> = {
  node: ['Node.js', 'Install Node.js 20 or later on the machine that builds.'],
  npm: ['npm', 'Install npm on the machine that builds.'],
  python3: ['Python 3 with its venv module', 'Run `apt-get install python3 python3-venv` on the machine that builds.'],
  go: ['Go', 'Install Go from https://go.dev/dl or run `apt-get install golang-go` on the machine that builds.'],
  java: ['a Java runtime', 'Run `apt-get install default-jdk-headless` on the machine that builds.'],
  javac: ['a Java compiler (JDK)', 'Run `apt-get install default-jdk-headless` on the machine that builds.'],
  mvn: ['Maven', 'Run `apt-get install maven` on the machine that builds, or commit the Maven wrapper (`mvn wrapper:wrapper`).'],
  gradle: ['Gradle', 'Commit the Gradle wrapper (`gradle wrapper`), or install Gradle on the machine that builds.'],
  cargo: ['Cargo, the build tool of Rust', 'Install Rust from https://rustup.rs or run `apt-get install cargo` on the machine that builds.'],
  ruby: ['Ruby', 'Run `apt-get install ruby ruby-dev` on the machine that builds.'],
  bundle: ['Bundler', 'Run `apt-get install ruby-bundler` or `gem install bundler` on the machine that builds.'],
  php: ['PHP', 'Run `apt-get install php-cli` on the machine that builds.'],
  composer: ['Composer', 'Run `apt-get install composer` on the machine that builds.'],
  podman: ['podman', 'Run `apt-get install podman` on the machine that builds.'],
}

/** The tool, or TOOLCHAIN_MISSING with its name and how to get it. */
export function need(tools: HostTools, name: string): Tool {
  const tool = tools[name]
  if (tool) return tool
  const [title, fix] = remedies[name] ?? [name, `Install ${name} on the machine that builds.`]
  throw fail('TOOLCHAIN_MISSING', { message: `The build needs ${title}, and it is not on this machine.`, fix, facts: { tool: name } })
}

/** `20.20.1` → `20.20`. */
export function shortVersion({ version }: Tool): string {
  return version.split('.').slice(0, 2).join('.')
}

/** Where servers that must be told listen: instances are reached through the machine itself unless HOST says otherwise. */
export const listenHost = '${HOST:-127.0.0.1}'
