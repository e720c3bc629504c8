/** Python: requirements.txt, Pipfile.lock, poetry, pdm, uv or a plain pyproject.toml, into a relocatable virtual environment. */
import { fail } from '@pavior/contract'
import { parse } from 'smol-toml'
import type { Builder, BuildPlan, BuildStep, HostTools, Layer, SourceFacts, ToolRequest } from '../../rooms/delivery/ports.ts'
import { installScript } from './python-install.ts'
import { modules, pythonWebCommand } from './python-web.ts'
import { need, shortVersion } from './toolchain.ts'

/** What the dependencies are installed from, in the order in which it is looked for; a lock file before what it locks. */
const sources = [
  { how: 'uv', file: 'uv.lock' },
  { how: 'poetry', file: 'poetry.lock' },
  { how: 'pdm', file: 'pdm.lock' },
  { how: 'pipenv', file: 'Pipfile.lock' },
  { how: 'pip', file: 'requirements.txt' },
  { how: 'project', file: 'pyproject.toml' },
  { how: 'project', file: 'setup.py' },
] as const
type How = (typeof sources)[number]['how']

interface Project {
  project?: { 'requires-python'?: string; dependencies?: unknown[] }
  'build-system'?: object
  tool?: { poetry?: { 'package-mode'?: boolean; dependencies?: Record<string, unknown> } }
}

export const pythonBuilder: Builder = {
  name: 'python',
  reads: [...sources.map(({ file }) => file), 'Pipfile', '.python-version', 'runtime.txt', 'setup.cfg', 'Procfile', ...modules],
  tools: ['python3'],
  detect: ({ paths }) => [...sources.map(({ file }) => file), 'Pipfile', 'manage.py'].find((file) => paths.includes(file)) ?? ['app.py', 'main.py', 'wsgi.py', 'server.py'].find((file) => paths.includes(file)),
  request,
  toolchain: (source) => ({ name: 'python3', asked: request(source)?.range }),
  plan,
}

/** A pinned version is a wish, since patch versions differ between machines; `requires-python` is a demand. */
function request({ texts }: SourceFacts): ToolRequest | undefined {
  const pinned = /^\s*(?:python-)?(\d+\.\d+)/m.exec(texts['runtime.txt'] ?? texts['.python-version'] ?? '')?.[1]
  if (pinned !== undefined) return { name: 'python3', range: `${pinned}.x`, optional: true }
  const project = readProject(texts)
  const poetry = project?.tool?.poetry?.dependencies?.python
  const required = project?.project?.['requires-python'] ?? (typeof poetry === 'string' ? poetry : undefined)
  return required === undefined ? undefined : { name: 'python3', range: semverRange(required) }
}

/** PEP 440 and poetry's own notation, as far as versions of Python are written in it. */
export function semverRange(specifier: string): string {
  return specifier
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '' && !part.startsWith('!='))
    .map((part) => part.replace(/^~=\s*(\d+)\.(\d+)$/, '>=$1.$2 <$1.999').replace(/^~=\s*/, '~').replace(/^===?\s*/, '').replace(/\.\*/g, '.x'))
    .join(' ')
}

function readProject(texts: SourceFacts['texts']): Project | undefined {
  const text = texts['pyproject.toml']
  if (text === undefined) return undefined
  try {
    return parse(text) as Project
  } catch (error) {
    throw fail('MANIFEST_INVALID', { message: `pyproject.toml is not valid TOML: ${(error as Error).message.split('\n')[0]}` })
  }
}

function installed({ paths, texts }: SourceFacts): { how: How; file: string } | undefined {
  const found = sources.find(({ file }) => paths.includes(file))
  if (paths.includes('Pipfile') && (found === undefined || found.how === 'project')) {
    throw fail('BUILD_FAILED', { message: 'The source has a Pipfile without a Pipfile.lock.', why: 'Without the lock file every build could get other packages.', fix: 'Run `pipenv lock` and commit Pipfile.lock, or add a requirements.txt.' })
  }
  // A pyproject.toml that only configures tools installs nothing.
  const project = found?.file === 'pyproject.toml' ? readProject(texts) : undefined
  if (found?.file === 'pyproject.toml' && project?.project === undefined && project?.tool?.poetry === undefined && project?.['build-system'] === undefined) return undefined
  return found
}

function plan(source: SourceFacts, tools: HostTools): BuildPlan {
  const { texts } = source
  const python = need(tools, 'python3')
  const found = installed(source)
  const wish = request(source)
  const missed = wish?.optional && !python.version.startsWith(wish.range.replace('.x', '.')) ? ` (${wish.range.replace('.x', '')} is not on this machine)` : ''
  const web = texts.Procfile === undefined ? pythonWebCommand(source) : undefined
  return {
    summary: [`python ${shortVersion(python)}${missed}`, found === undefined ? 'no dependencies' : found.how === 'project' ? 'pip install' : `${found.how} · ${found.file}`].join(' · '),
    steps: steps(source, found, python.path),
    layers: layers(source, found, python.version),
    env: {
      PIP_CACHE_DIR: '/cache/pip', PIP_DISABLE_PIP_VERSION_CHECK: '1', PIP_NO_INPUT: '1', PIP_PROGRESS_BAR: 'off', PIP_ROOT_USER_ACTION: 'ignore',
      PYTHONDONTWRITEBYTECODE: '1', PYTHONUNBUFFERED: '1', PYTHONHASHSEED: '0', BUILD_TOOLS: `/cache/python-tools-${shortVersion(python)}`,
      POETRY_CACHE_DIR: '/cache/poetry', PDM_CACHE_DIR: '/cache/pdm', UV_CACHE_DIR: '/cache/uv', UV_LINK_MODE: 'copy',
    },
    bin: ['.venv/bin'],
    runtimeEnv: { PYTHONUNBUFFERED: '1', PYTHONDONTWRITEBYTECODE: '1' },
    processes: web === undefined ? {} : { web: { command: web } },
    tools: [python],
    runtimeTools: [python],
  }
}

function steps({ settings, paths, texts }: SourceFacts, found: { how: How } | undefined, python: string): BuildStep[] {
  const project = readProject(texts)
  const how = found?.how === 'project' ? projectInstall(project) : [found?.how ?? 'nothing']
  const asPackage = project?.['build-system'] !== undefined && project.tool?.poetry?.['package-mode'] !== false
  return [
    { name: 'install', command: [python, '-c', installScript, asPackage ? 'package' : 'sources', ...how], madeBy: 'dependencies' },
    ...(settings.command === undefined ? [] : [{ name: 'build', command: ['sh', '-ec', `PATH="$PWD/.venv/bin:$PATH"; export PATH; ${settings.command}`] }]),
    ...(paths.includes('manage.py') ? [{ name: 'collectstatic', command: ['sh', '-ec', collectStatic] }] : []),
    { name: 'compile', command: [python, '-c', installScript, 'compile'] },
  ]
}

/** Without a lock file: poetry's own notation needs poetry; a project that is no package gets the dependencies that it lists. */
function projectInstall(project: Project | undefined): string[] {
  const listed = project?.project?.dependencies
  const noPackage = project !== undefined && (project['build-system'] === undefined || project.tool?.poetry?.['package-mode'] === false)
  if (noPackage && Array.isArray(listed)) return ['listed', ...listed.map(poetryToPip)]
  return project?.tool?.poetry?.dependencies === undefined ? ['project'] : ['poetry']
}

/** Poetry writes `name (>=1.0)`, as PEP 508 permits and pip reads without the parentheses only. */
function poetryToPip(requirement: unknown): string {
  return String(requirement).replace(/\s*\(([^)]*)\)/, '$1')
}

/** As Heroku does it: only where the settings are made for it. */
const collectStatic = `if .venv/bin/python manage.py collectstatic --dry-run --noinput >/dev/null 2>&1
then .venv/bin/python manage.py collectstatic --noinput
else echo "Static files are not collected: manage.py collectstatic does not work with these settings."
fi`

/** Kept between builds when the text of one file decides everything. */
function layers({ texts }: SourceFacts, found: { how: How; file: string } | undefined, version: string): Layer[] {
  if (found === undefined) return [{ name: 'dependencies', inputs: [version, installScript], paths: ['.venv'] }]
  if (found.how === 'project' || readProject(texts)?.['build-system'] !== undefined) return []
  const text = texts[found.file] ?? ''
  const readsOthers = /^\s*(-r|-c|-e|--requirement|--constraint|--editable|\.|file:|[\w[\],.-]+\s*@\s*file:)/m.test(text)
  return found.how === 'pip' && readsOthers ? [] : [{ name: 'dependencies', inputs: [text, texts['pyproject.toml'] ?? '', version, installScript], paths: ['.venv'] }]
}
