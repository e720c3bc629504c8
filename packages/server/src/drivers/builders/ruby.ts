/** Ruby: Bundler into vendor/bundle; Rails, Rack or a plain script. */
import type { Builder, BuildPlan, BuildStep, HostTools, SourceFacts } from '../../rooms/delivery/ports.ts'
import { listenHost, need, shortVersion } from './toolchain.ts'

export const rubyBuilder: Builder = {
  name: 'ruby',
  reads: ['Gemfile', 'Gemfile.lock', '.ruby-version', 'config.ru', 'Procfile', 'app.rb', 'main.rb', 'server.rb'],
  tools: ['ruby', 'bundle', 'node', 'npm'],
  detect: ({ paths }) => ['Gemfile', 'config.ru'].find((file) => paths.includes(file)),
  toolchain: ({ texts }) => ({ name: 'ruby', asked: texts['.ruby-version'] ?? /^\s*ruby\s+['"]([^'"]+)['"]/m.exec(texts.Gemfile ?? '')?.[1] }),
  plan,
}

function hasGem({ texts }: SourceFacts, name: string): boolean {
  return new RegExp(`^\\s*gem\\s*\\(?\\s*['"]${name}['"]|^ {4}${name} \\(`, 'm').test(`${texts.Gemfile ?? ''}\n${texts['Gemfile.lock'] ?? ''}`)
}

export function rubyWebCommand(source: SourceFacts): string | undefined {
  const { paths } = source
  const bundled = paths.includes('Gemfile') ? 'bundle exec ' : ''
  // Both Rails and Puma's generated settings look at PIDFILE, and would write it below the app otherwise.
  if (hasGem(source, 'rails') && paths.includes('config/application.rb')) return `env PIDFILE="$TMPDIR/server.pid" bundle exec rails server --binding ${listenHost} --port $PORT --environment "$RAILS_ENV"`
  if (paths.includes('config/puma.rb') && hasGem(source, 'puma')) return 'bundle exec puma -C config/puma.rb'
  if (paths.includes('config.ru')) return hasGem(source, 'puma') ? `bundle exec puma --bind tcp://${listenHost}:$PORT` : `${bundled}rackup --host ${listenHost} --port $PORT`
  const script = ['app.rb', 'main.rb', 'server.rb'].find((file) => paths.includes(file))
  if (script === undefined) return undefined
  // Sinatra's own server listens on 4567 unless it is told.
  return hasGem(source, 'sinatra') ? `${bundled}ruby ${script} -o ${listenHost} -p $PORT` : `${bundled}ruby ${script}`
}

function plan(source: SourceFacts, tools: HostTools): BuildPlan {
  const { paths, texts, settings } = source
  const ruby = need(tools, 'ruby')
  const bundled = paths.includes('Gemfile')
  const bundle = bundled ? [need(tools, 'bundle')] : []
  const rails = hasGem(source, 'rails') && paths.includes('config/application.rb')
  const locked = texts['Gemfile.lock'] !== undefined
  const packages = paths.includes('package.json') && tools.node && tools.npm ? [tools.node, tools.npm] : []
  const web = texts.Procfile === undefined ? rubyWebCommand(source) : undefined
  const compiles = rails && settings.command === undefined && paths.some((path) => path.startsWith('app/assets/'))
  const steps: BuildStep[] = [
    ...(bundled ? [{ name: 'install', command: ['sh', '-ec', `bundle install --jobs 2 --retry 2\nrm -rf vendor/bundle/ruby/*/cache\n${withoutLogs}`], madeBy: 'dependencies' }] : []),
    ...(packages.length > 0 && rails ? [{ name: 'packages', command: ['npm', paths.includes('package-lock.json') ? 'ci' : 'install', '--no-audit', '--no-fund'] }] : []),
    ...(settings.command === undefined ? [] : [{ name: 'build', command: ['sh', '-ec', settings.command] }]),
    ...(compiles ? [{ name: 'assets', command: ['bundle', 'exec', 'rails', 'assets:precompile'], env: assetsEnv }] : []),
    ...(rails ? [{ name: 'directories', command: ['sh', '-ec', railsDirectories] }] : []),
  ]
  return {
    summary: [`ruby ${shortVersion(ruby)}`, bundled ? 'bundle install' : 'no dependencies', ...(rails ? ['rails'] : [])].join(' · '),
    steps,
    layers: locked ? [{ name: 'dependencies', inputs: [texts['Gemfile.lock']!, texts.Gemfile ?? '', ruby.version], paths: ['vendor/bundle'] }] : [],
    env: { ...bundlerEnv(locked), BUNDLE_USER_CACHE: '/cache/bundle', RAILS_ENV: 'production', RACK_ENV: 'production', npm_config_cache: '/cache/npm' },
    runtimeEnv: { ...bundlerEnv(locked), RAILS_ENV: 'production', RACK_ENV: 'production', APP_ENV: 'production', RAILS_LOG_TO_STDOUT: 'true', RAILS_SERVE_STATIC_FILES: 'true', BOOTSNAP_READONLY: '1' },
    processes: web === undefined ? {} : { web: { command: web } },
    tools: [ruby, ...bundle, ...packages],
    runtimeTools: [ruby, ...bundle],
    omit: ['node_modules'],
  }
}

/** Precompiling needs some secret: Rails 7.1 makes one up when it is asked to, earlier ones want to be given one. */
const assetsEnv = { SECRET_KEY_BASE_DUMMY: '1', SECRET_KEY_BASE: 'only-for-precompiling-assets' }

/** `rails server` makes these when they are missing, which it cannot where it runs: the files of an app are read-only there. */
const railsDirectories = 'rm -rf tmp/cache; for name in cache pids sockets; do mkdir -p tmp/$name; : > tmp/$name/.keep; done'

/** Relative, so that the bundle is found wherever the artifact lies. A lock file that does not fit is an error, not a change. */
function bundlerEnv(locked: boolean): Record<string, string> {
  return { BUNDLE_PATH: 'vendor/bundle', BUNDLE_WITHOUT: 'development:test', ...(locked ? { BUNDLE_FROZEN: 'true' } : {}), BUNDLE_SILENCE_ROOT_WARNING: 'true', BUNDLE_APP_CONFIG: '/tmp/.bundle' }
}

/** Logs of native extensions hold times and paths of the build. */
const withoutLogs = 'find vendor/bundle -type f \\( -name gem_make.out -o -name mkmf.log -o -name "*.o" \\) -delete'
