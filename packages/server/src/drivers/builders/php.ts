/** PHP: Composer's packages, served by PHP's own server from public/ where there is one. */
import type { Builder, BuildPlan, HostTools, SourceFacts } from '../../rooms/delivery/ports.ts'
import { listenHost, need, shortVersion } from './toolchain.ts'

const roots = ['public', 'web', 'www', 'htdocs', 'html', '']

export const phpBuilder: Builder = {
  name: 'php',
  reads: ['composer.json', 'composer.lock', 'Procfile'],
  tools: ['php', 'composer'],
  detect: ({ paths }) => (paths.includes('composer.json') ? 'composer.json' : documentRoot(paths) === undefined ? undefined : 'index.php'),
  toolchain: ({ texts }) => ({ name: 'php', asked: /"require"\s*:\s*\{[^}]*"php"\s*:\s*"([^"]+)"/.exec(texts['composer.json'] ?? '')?.[1] }),
  plan,
}

/** The directory that holds index.php; undefined without one. */
export function documentRoot(paths: readonly string[]): string | undefined {
  return roots.find((root) => paths.includes(root === '' ? 'index.php' : `${root}/index.php`))
}

function plan({ paths, texts, settings }: SourceFacts, tools: HostTools): BuildPlan {
  const php = need(tools, 'php')
  const packages = paths.includes('composer.json')
  const composer = packages ? [need(tools, 'composer')] : []
  const locked = texts['composer.lock'] !== undefined
  const root = settings.output ?? documentRoot(paths)
  return {
    summary: [`php ${shortVersion(php)}`, packages ? 'composer install' : 'no dependencies'].join(' · '),
    steps: [
      ...(packages ? [{ name: 'install', command: ['composer', 'install', '--no-dev', '--prefer-dist', '--optimize-autoloader', '--no-interaction', '--no-progress'], madeBy: 'dependencies' }] : []),
      ...(settings.command === undefined ? [] : [{ name: 'build', command: ['sh', '-ec', settings.command] }]),
    ],
    // With classes of its own listed in the autoloader the vendor directory depends on the whole source.
    layers: locked && !/"(classmap|files|psr-0|psr-4|scripts|path)"/.test(texts['composer.json'] ?? '') ? [{ name: 'dependencies', inputs: [texts['composer.lock']!, texts['composer.json'] ?? '', php.version], paths: ['vendor'] }] : [],
    env: { COMPOSER_CACHE_DIR: '/cache/composer', COMPOSER_ALLOW_SUPERUSER: '1', COMPOSER_HOME: '/cache/composer-home' },
    bin: packages ? ['vendor/bin'] : [],
    runtimeEnv: { PHP_CLI_SERVER_WORKERS: '4' },
    processes: root === undefined || texts.Procfile !== undefined ? {} : { web: { command: `php -S ${listenHost}:$PORT -t ${root === '' ? '.' : root}` } },
    tools: [php, ...composer],
    runtimeTools: [php],
    // A site in the whole tree, not only its document root: the code lies beside it.
    output: '.',
  }
}
