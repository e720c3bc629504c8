import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { BuildSettings } from '@pavior/contract'
import { chooseBuilder, inputsOf, toolchainOf } from '../../rooms/delivery/plan.ts'
import type { HostTools, SourceFacts } from '../../rooms/delivery/ports.ts'
import { explain, registriesFile } from './dockerfile.ts'
import { createBuilders } from './index.ts'

const builders = createBuilders('/opt/pavior', { registryMirror: '' })
const tool = (name: string, version: string) => ({ name, version, path: `/usr/bin/${name}`, mounts: [] })
const everything: HostTools = Object.fromEntries(
  [['node', '20.20.2'], ['npm', '11.1.0'], ['python3', '3.11.7'], ['go', '1.26.8'], ['java', '17.0.15'], ['javac', '17.0.15'], ['mvn', '3.8.7'], ['cargo', '1.95.0'], ['ruby', '3.1.2'], ['bundle', '2.3.15'], ['php', '8.2.35'], ['composer', '2.5.5'], ['podman', '4.3.1']].map(
    ([name, version]) => [name, tool(name!, version!)],
  ),
)

/** Files by name; what builders do not ask for is there by its path only. */
function source(files: Record<string, string>, settings: BuildSettings = {}): SourceFacts {
  return { paths: Object.keys(files).toSorted(), texts: files, settings }
}

function planned(files: Record<string, string>, settings: BuildSettings = {}, tools = everything) {
  const facts = source(files, settings)
  const { builder } = chooseBuilder(builders, facts)
  return { name: builder.name, plan: builder.plan(facts, tools), request: builder.request?.(facts) }
}

function refusal(act: () => unknown): { code: string; message: string; fix: string } {
  try {
    act()
  } catch (error) {
    return (error as { toObject: () => { code: string; message: string; fix: string } }).toObject()
  }
  throw new Error('Nothing was refused.')
}

const packageJson = (content: object): string => JSON.stringify(content)

describe('choosing a builder', () => {
  const table: [string, Record<string, string>, string][] = [
    ['an Express app', { 'package.json': packageJson({ scripts: { start: 'node app.js' } }), 'app.js': '' }, 'node'],
    ['a server.js alone', { 'server.js': '' }, 'node'],
    ['a site with a script', { 'index.html': '', 'main.js': '' }, 'static'],
    ['a Flask app', { 'requirements.txt': 'Flask', 'app.py': '' }, 'python'],
    ['a Django app with front-end tools', { 'requirements.txt': 'Django', 'manage.py': '', 'package.json': packageJson({ devDependencies: { sass: '1' } }) }, 'python'],
    ['a Node app with a Python script', { 'requirements.txt': '', 'package.json': packageJson({ scripts: { start: 'node .' } }) }, 'node'],
    ['a Rails app with packages', { Gemfile: "gem 'rails'", 'package.json': packageJson({ scripts: { build: 'esbuild' } }) }, 'ruby'],
    ['a Laravel app with packages', { 'composer.json': '{}', 'public/index.php': '', 'package.json': packageJson({ scripts: { build: 'vite build' } }) }, 'php'],
    ['a Go module', { 'go.mod': 'module x', 'main.go': 'package main' }, 'go'],
    ['a Go file alone', { 'main.go': 'package main' }, 'go'],
    ['a Maven project', { 'pom.xml': '' }, 'java'],
    ['a Gradle project', { 'build.gradle.kts': '', gradlew: '' }, 'java'],
    ['a crate', { 'Cargo.toml': '[package]\nname="x"', 'src/main.rs': '' }, 'rust'],
    ['a PHP page', { 'index.php': '' }, 'php'],
    ['a site', { 'index.html': '' }, 'static'],
    ['a site below public', { 'public/index.html': '', Dockerfile: 'FROM nginx' }, 'static'],
    ['a Procfile alone', { Procfile: 'web: ./serve' }, 'procfile'],
    ['a language beside a Dockerfile', { Dockerfile: 'FROM golang', 'go.mod': 'module x', 'main.go': '' }, 'go'],
    ['a Dockerfile alone', { Dockerfile: 'FROM scratch' }, 'dockerfile'],
    ['a Dockerfile with a Procfile', { Dockerfile: 'FROM scratch', Procfile: 'web: /serve' }, 'dockerfile'],
  ]
  it.each(table)('%s', (_title, files, expected) => {
    expect(chooseBuilder(builders, source(files)).builder.name).toBe(expected)
  })

  it('takes the one that the manifest names', () => {
    expect(chooseBuilder(builders, source({ 'package.json': '{}', Dockerfile: '' }, { builder: 'dockerfile' })).builder.name).toBe('dockerfile')
    expect(refusal(() => chooseBuilder(builders, source({}, { builder: 'cobol' })))).toMatchObject({ code: 'NOT_DETECTED', fix: expect.stringContaining('rust') })
  })

  it('refuses what nobody knows, naming what is there', () => {
    expect(refusal(() => chooseBuilder(builders, source({ 'notes.txt': '' }))).code).toBe('NOT_DETECTED')
  })
})

describe('web processes', () => {
  const start = (script: string, more: object = {}): string => packageJson({ scripts: { start: script }, ...more })
  const table: [string, Record<string, string>, string | undefined][] = [
    ['node runs without npm between', { 'package.json': start('node index.js') }, 'node index.js'],
    ['a start script that is more', { 'package.json': start('echo hi && node index.js') }, 'npm start'],
    ['main', { 'package.json': packageJson({ main: './lib/run' }), 'lib/run.js': '' }, 'node lib/run.js'],
    ['next', { 'package.json': start('next start', { scripts: { build: 'next build', start: 'next start' }, dependencies: { next: '15' } }) }, 'npm start'],
    ['nuxt without a start script', { 'package.json': packageJson({ scripts: { build: 'nuxt build' }, devDependencies: { nuxt: '3' } }) }, 'node .output/server/index.mjs'],
    ['create-react-app', { 'package.json': packageJson({ scripts: { start: 'react-scripts start', build: 'react-scripts build' }, dependencies: { 'react-scripts': '5' } }) }, 'node .pavior/static-server.mjs .'],
    ['a site that gulp builds', { 'package.json': packageJson({ scripts: { build: 'gulp build' }, devDependencies: { gulp: '5' } }), 'dist/index.html': '', 'src/index.html': '' }, 'node .pavior/static-server.mjs .'],
    ['Flask with gunicorn', { 'requirements.txt': 'Flask==3\ngunicorn', 'app.py': 'app = Flask(__name__)' }, 'gunicorn app:app'],
    ['Flask without', { 'requirements.txt': 'flask', 'hello.py': 'api = Flask(__name__)' }, 'flask --app hello:api run --host ${HOST:-127.0.0.1} --port $PORT'],
    ['a Flask factory', { 'requirements.txt': 'flask\ngunicorn', 'app/__init__.py': 'def create_app():\n  pass' }, "gunicorn 'app:create_app()'"],
    ['FastAPI', { 'pyproject.toml': '[project]\nname="x"\ndependencies=["fastapi[standard]"]', 'app/main.py': 'app = FastAPI()' }, 'uvicorn app.main:app --host ${HOST:-127.0.0.1} --port $PORT'],
    ['Django', { 'requirements.txt': 'Django\ngunicorn', 'manage.py': '', 'shop/wsgi.py': '' }, 'gunicorn shop.wsgi'],
    ['a plain script', { 'requirements.txt': '', 'main.py': 'print(1)' }, 'python main.py'],
    ['Go', { 'go.mod': 'module x', 'main.go': 'package main' }, 'bin/web'],
    ['a crate', { 'Cargo.toml': '[package]\nname="shop"', 'src/main.rs': '' }, 'bin/shop'],
    ['a crate with a server among others', { 'Cargo.toml': '[package]\nname="shop"', 'src/bin/admin.rs': '', 'src/bin/server.rs': '' }, 'bin/server'],
    ['Rails', { Gemfile: "gem 'rails'\ngem 'puma'", 'config/application.rb': '' }, 'env PIDFILE="$TMPDIR/server.pid" bundle exec rails server --binding ${HOST:-127.0.0.1} --port $PORT --environment "$RAILS_ENV"'],
    ['Rack', { Gemfile: "gem 'rack'\ngem 'puma'", 'config.ru': '' }, 'bundle exec puma --bind tcp://${HOST:-127.0.0.1}:$PORT'],
    ['Sinatra', { Gemfile: 'gem "sinatra"', 'app.rb': '' }, 'bundle exec ruby app.rb -o ${HOST:-127.0.0.1} -p $PORT'],
    ['PHP with a document root', { 'composer.json': '{}', 'public/index.php': '' }, 'php -S ${HOST:-127.0.0.1}:$PORT -t public'],
    ['PHP without', { 'index.php': '' }, 'php -S ${HOST:-127.0.0.1}:$PORT -t .'],
    ['Maven', { 'pom.xml': '' }, 'sh .pavior/start'],
    ['a site', { 'index.html': '' }, 'node .pavior/static-server.mjs .'],
  ]
  it.each(table)('%s', (_title, files, command) => {
    expect(planned(files).plan.processes.web?.command).toBe(command)
  })

  it('leaves a Procfile its say', () => {
    expect(planned({ 'package.json': start('node a.js'), Procfile: 'web: node b.js' }).plan.processes).toEqual({})
    expect(planned({ 'requirements.txt': 'flask', 'app.py': 'app = Flask(__name__)', Procfile: 'web: x' }).plan.processes).toEqual({})
  })
})

it('gives Rails the directories that its server would make, and precompiling a secret that is not kept', () => {
  const { steps, runtimeEnv } = planned({ Gemfile: "gem 'rails'", 'config/application.rb': '', 'app/assets/config/manifest.js': '' }).plan
  expect(steps.map(({ name }) => name)).toEqual(['install', 'assets', 'directories'])
  expect(steps[1]!.env).toMatchObject({ SECRET_KEY_BASE_DUMMY: '1', SECRET_KEY_BASE: expect.any(String) })
  expect(runtimeEnv).not.toHaveProperty('SECRET_KEY_BASE')
})

describe('package managers of Node.js', () => {
  const app = { dependencies: { express: '5' } }
  const command = (files: Record<string, string>, tools = everything): string => planned(files, {}, tools).plan.steps[0]!.command.join(' ')

  it('are chosen by lock file, and fetched where the machine has none', () => {
    expect(command({ 'package.json': packageJson(app), 'package-lock.json': '{}' })).toMatch(/^npm ci --omit=dev/)
    expect(command({ 'package.json': packageJson(app) })).toMatch(/^npm install --omit=dev/)
    expect(command({ 'package.json': packageJson(app), 'yarn.lock': '# yarn lockfile v1' })).toMatch(/^npm exec --yes --package=yarn@1 -- yarn install --frozen-lockfile/)
    expect(command({ 'package.json': packageJson(app), 'yarn.lock': '__metadata:\n  version: 8' })).toBe('npm exec --yes --package=@yarnpkg/cli-dist@4 -- yarn install --immutable')
    expect(command({ 'package.json': packageJson(app), 'pnpm-lock.yaml': "lockfileVersion: '6.0'" })).toMatch(/--package=pnpm@8 -- pnpm install --frozen-lockfile --prod/)
    expect(command({ 'package.json': packageJson({ ...app, packageManager: 'pnpm@9.1.0+sha512.abc' }) })).toMatch(/--package=pnpm@9.1.0 /)
    expect(command({ 'package.json': packageJson(app), 'pnpm-lock.yaml': "lockfileVersion: '9.0'" }, { ...everything, pnpm: tool('pnpm', '9.15.0') })).toMatch(/^pnpm install/)
  })

  it('are told only what they know', () => {
    expect(Object.keys(planned({ 'package.json': packageJson(app), 'package-lock.json': '{}' }).plan.env).filter((name) => /store|YARN/.test(name))).toEqual([])
    expect(planned({ 'package.json': packageJson(app), 'pnpm-lock.yaml': '' }).plan.env.npm_config_store_dir).toBe('/cache/pnpm')
  })

  it('keep the dependencies only when the lock file decides everything', () => {
    const lock = { 'package-lock.json': '{}' }
    expect(planned({ 'package.json': packageJson(app), ...lock }).plan.layers).toHaveLength(1)
    expect(planned({ 'package.json': packageJson({ ...app, workspaces: ['packages/*'] }), ...lock }).plan.layers).toEqual([])
    expect(planned({ 'package.json': packageJson({ dependencies: { mine: 'file:./mine' } }), ...lock }).plan.layers).toEqual([])
    expect(planned({ 'package.json': packageJson({ ...app, scripts: { postinstall: 'node make.js' } }), ...lock }).plan.layers).toEqual([])
  })

  it('install development dependencies for a build and leave them out afterwards', () => {
    const { plan } = planned({ 'package.json': packageJson({ ...app, scripts: { build: 'tsc', start: 'node a.js' }, devDependencies: { typescript: '6' } }), 'package-lock.json': '{}' })
    expect(plan.steps.map(({ name }) => name)).toEqual(['install', 'build', 'prune'])
    expect(plan.steps[0]!.command).toContain('--include=dev')
  })
})

describe('versions that a source asks for', () => {
  it.each([
    [{ 'package.json': packageJson({ engines: { node: '22.x' } }) }, { name: 'node', range: '22.x' }],
    [{ 'package.json': '{}', '.nvmrc': 'v18.20.1\n' }, { name: 'node', range: '18.20.1' }],
    [{ 'package.json': '{}', '.nvmrc': 'lts/*' }, undefined],
    [{ 'requirements.txt': '', '.python-version': '3.12.4\n' }, { name: 'python3', range: '3.12.x', optional: true }],
    [{ 'requirements.txt': '', 'runtime.txt': 'python-3.10.13' }, { name: 'python3', range: '3.10.x', optional: true }],
    [{ 'pyproject.toml': '[project]\nrequires-python = ">=3.10, !=3.11.1, <3.14"' }, { name: 'python3', range: '>=3.10 <3.14' }],
    [{ 'pyproject.toml': '[tool.poetry.dependencies]\npython = "^3.11"' }, { name: 'python3', range: '^3.11' }],
  ] as [Record<string, string>, object | undefined][])('%o', (files, expected) => {
    const facts = source(files)
    expect(chooseBuilder(builders, facts).builder.request?.(facts)).toEqual(expected)
  })
})

describe('the toolchain of a build', () => {
  it.each([
    [{ 'package.json': packageJson({ engines: { node: '20.x' }, scripts: { start: 'node .' } }) }, { name: 'node', version: '20.20.2', asked: '20.x' }],
    [{ 'package.json': packageJson({ scripts: { start: 'node .' } }), '.nvmrc': 'lts/*' }, { name: 'node', version: '20.20.2' }],
    [{ 'requirements.txt': '', 'app.py': '', '.python-version': '3.11' }, { name: 'python3', version: '3.11.7', asked: '3.11.x' }],
    [{ 'go.mod': 'module x\n\ngo 1.22\n\ntoolchain go1.22.5\n', 'main.go': 'package main' }, { name: 'go', version: '1.26.8', asked: '1.22' }],
    [{ 'Cargo.toml': '[package]\nname = "x"\nrust-version = "1.70"', 'src/main.rs': '' }, { name: 'cargo', version: '1.95.0', asked: '1.70' }],
    [{ 'Cargo.toml': '[package]\nname = "x"', 'src/main.rs': '', 'rust-toolchain.toml': '[toolchain]\nchannel = "1.80.0"\n' }, { name: 'cargo', version: '1.95.0', asked: '1.80.0' }],
    [{ Gemfile: "source 'x'\nruby '3.1.2'\n", 'app.rb': '' }, { name: 'ruby', version: '3.1.2', asked: '3.1.2' }],
    [{ 'composer.json': '{"require": {"php": ">=8.2"}}', 'index.php': '' }, { name: 'php', version: '8.2.35', asked: '>=8.2' }],
    [{ 'pom.xml': '<properties><maven.compiler.release>17</maven.compiler.release></properties>' }, { name: 'java', version: '17.0.15', asked: '17' }],
    [{ 'build.gradle': 'java { toolchain { languageVersion = JavaLanguageVersion.of(21) } }' }, { name: 'java', version: '17.0.15', asked: '21' }],
    [{ Dockerfile: 'FROM scratch' }, { name: '' }],
    [{ Procfile: 'web: ./run' }, { name: '' }],
  ] as [Record<string, string>, object][])('%o', (files, expected) => {
    const facts = source(files)
    const { builder } = chooseBuilder(builders, facts)
    expect(toolchainOf(builder, facts, builder.plan(facts, { ...everything, gradle: tool('gradle', '8.0') }))).toEqual(expected)
  })
})

describe('refusals', () => {
  it.each([
    [{ 'go.mod': '', 'main.go': '' }, 'Go'],
    [{ 'pom.xml': '' }, 'Java'],
    [{ 'Cargo.toml': '' }, 'Cargo'],
    [{ Gemfile: '' }, 'Ruby'],
    [{ 'index.php': '' }, 'PHP'],
    [{ 'requirements.txt': '' }, 'Python'],
    [{ 'package.json': '{}' }, 'Node.js'],
    [{ 'index.html': '' }, 'Node.js'],
    [{ Dockerfile: '' }, 'podman'],
  ] as [Record<string, string>, string][])('a missing toolchain: %o', (files, name) => {
    const problem = refusal(() => planned(files, {}, {}))
    expect(problem.code).toBe('TOOLCHAIN_MISSING')
    expect(problem.message).toContain(name)
    expect(problem.fix).toMatch(/[Ii]nstall/)
  })

  it.each([
    [{ Pipfile: '' }, 'BUILD_FAILED'],
    [{ 'package.json': '{' }, 'MANIFEST_INVALID'],
    [{ 'pyproject.toml': '[' }, 'MANIFEST_INVALID'],
    [{ 'Cargo.toml': '[' }, 'MANIFEST_INVALID'],
    [{ 'Cargo.toml': '[package]\nname="lib"', 'src/lib.rs': '' }, 'PROCESS_MISSING'],
    [{ 'go.mod': 'module lib', 'internal/a/a.go': '' }, 'PROCESS_MISSING'],
  ] as [Record<string, string>, string][])('%o', (files, code) => {
    expect(refusal(() => planned(files)).code).toBe(code)
  })
})

describe('every plan', () => {
  const names = ['package.json', 'package-lock.json', 'yarn.lock', 'pnpm-lock.yaml', 'requirements.txt', 'pyproject.toml', 'Pipfile.lock', 'poetry.lock', 'app.py', 'manage.py', 'go.mod', 'main.go', 'pom.xml', 'build.gradle', 'Cargo.toml', 'src/main.rs', 'Gemfile', 'Gemfile.lock', 'config.ru', 'composer.json', 'composer.lock', 'index.php', 'index.html', 'Procfile', 'server.js']
  const text: Record<string, string> = { 'package.json': '{"dependencies":{"express":"5"}}', 'composer.json': '{}', 'Cargo.toml': '[package]\nname="x"', 'pyproject.toml': '[project]\nname="x"' }
  const anySource = fc.subarray(names, { minLength: 1 }).map((chosen) => source(Object.fromEntries(chosen.map((name) => [name, text[name] ?? ''])))
  )

  it('is the same for the same source, keeps to the working directory, and names its steps once', () => {
    fc.assert(
      fc.property(anySource, (facts) => {
        let chosen
        try {
          chosen = chooseBuilder(builders, facts).builder
        } catch {
          return
        }
        const plan = () => {
          try {
            return chosen.plan(facts, everything)
          } catch (error) {
            return (error as { code: string }).code
          }
        }
        const one = plan()
        expect(plan()).toEqual(one)
        if (typeof one === 'string') return
        expect(inputsOf('d', chosen.name, facts, one)).toBe(inputsOf('d', chosen.name, facts, one))
        expect(new Set(one.steps.map(({ name }) => name)).size).toBe(one.steps.length)
        // Without a sandbox the sources lie elsewhere, and the cache is only named in variables.
        const words = [...one.steps.flatMap(({ command }) => command), ...Object.values(one.processes).map(({ command }) => command ?? ''), ...(one.bin ?? []), ...(one.omit ?? [])]
        for (const word of words) expect(word).not.toMatch(/(^|[\s"'=:])\/(app|cache)\b/)
        for (const path of [...(one.omit ?? []), ...one.layers.flatMap(({ paths }) => paths)]) expect(path).not.toMatch(/^\/|\.\./)
        for (const name of one.steps.flatMap(({ madeBy }) => madeBy ?? [])) expect(name).toBe('dependencies')
      }),
      { numRuns: 300 },
    )
  })
})

describe('a Dockerfile', () => {
  it('is built by podman, with the variables of the build as its arguments', () => {
    const { plan } = planned({ Containerfile: 'FROM scratch' }, { env: { TWO: '2', ONE: '1' } })
    expect(plan.summary).toBe('podman 4.3 · Containerfile')
    expect(plan.image).toBe(true)
    expect(plan.steps[0]!.command.slice(-4)).toEqual(['image', 'Containerfile', 'ONE', 'TWO'])
  })

  it('needs podman, and a Dockerfile', () => {
    expect(refusal(() => planned({ Dockerfile: 'FROM scratch' }, {}, {}))).toMatchObject({ code: 'TOOLCHAIN_MISSING', fix: expect.stringContaining('apt-get install podman') })
    expect(refusal(() => planned({ 'a.txt': '' }, { builder: 'dockerfile' })).code).toBe('NOT_DETECTED')
  })

  it('a mirror is asked first, in the clear only on the machine itself', () => {
    expect(registriesFile('')).toContain('unqualified-search-registries = ["docker.io"]')
    expect(registriesFile('localhost:5000/hub')).toMatch(/location = "localhost:5000\/hub"\ninsecure = true/)
    expect(registriesFile('mirror.example.com')).toMatch(/insecure = false/)
  })

  const lines: [string, string[], object | undefined][] = [
    ['a registry that is not there', ['Error: creating build container: initializing source docker://node:22-slim: pinging container registry registry-1.docker.io: Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io on 10.0.0.1:53: no such host'], { code: 'BASE_IMAGE_UNAVAILABLE', message: 'The base image node:22-slim could not be had.', why: expect.stringContaining('registry-1.docker.io could not be reached: dial tcp: lookup') }],
    ['a registry with a port', ['Error: creating build container: initializing source docker://127.0.0.1:9/a/b:1: pinging container registry 127.0.0.1:9: Get "https://127.0.0.1:9/v2/": dial tcp 127.0.0.1:9: connect: connection refused'], { message: 'The base image 127.0.0.1:9/a/b:1 could not be had.' }],
    ['an image that is not there', ['Error: creating build container: initializing source docker://node:99: reading manifest 99 in docker.io/library/node: manifest unknown: manifest unknown'], { code: 'BASE_IMAGE_UNAVAILABLE', fix: expect.stringContaining('Correct the FROM line') }],
    ['a private image', ['Error: creating build container: initializing source docker://me/secret:latest: reading manifest latest in docker.io/me/secret: errors:\ndenied: requested access to the resource is denied'], { why: expect.stringContaining('without a login') }],
    ['a step', ['STEP 2/3: RUN make', 'no rule to make target', 'subprocess exited with status 2', 'Error: building at STEP "RUN make": exit status 2'], { why: 'RUN make failed: exit status 2. Its last line was: no rule to make target' }],
    ['anything else', ['Error: dockerfile parse error line 1: unknown instruction: FORM'], { why: 'dockerfile parse error line 1: unknown instruction: FORM' }],
    ['nothing that is known', ['hm'], undefined],
  ]
  it.each(lines)('says what podman means: %s', (_title, said, expected) => {
    if (expected === undefined) expect(explain(said)).toBeUndefined()
    else expect(explain(said)).toMatchObject(expected)
  })
})
