/** Which command serves a Python source. Pure. */
import type { SourceFacts } from '../../rooms/delivery/ports.ts'
import { listenHost } from './toolchain.ts'

/** Where the application object is looked for. */
export const modules = ['app.py', 'main.py', 'wsgi.py', 'asgi.py', 'server.py', 'application.py', 'run.py', 'hello.py', 'app/__init__.py', 'app/main.py', 'src/app.py', 'src/main.py']
const listed = ['requirements.txt', 'pyproject.toml', 'Pipfile', 'setup.py', 'setup.cfg', 'poetry.lock', 'uv.lock', 'pdm.lock', 'Pipfile.lock']

export function pythonWebCommand(source: SourceFacts): string | undefined {
  const { paths } = source
  const wants = dependencyTest(source)
  if (paths.includes('manage.py')) return djangoCommand(source, wants)
  const asynchronous = findApplication(source, /^(\w+)\s*(?::[^=]+)?=\s*(?:FastAPI|Starlette|Quart|Litestar|Sanic)\(/m)
  if (asynchronous && wants('uvicorn', 'fastapi[standard]', 'fastapi[all]')) return `uvicorn ${asynchronous} --host ${listenHost} --port $PORT`
  if (asynchronous && wants('hypercorn')) return `hypercorn ${asynchronous} --bind ${listenHost}:$PORT`
  const wsgi = findApplication(source, /^(\w+)\s*(?::[^=]+)?=\s*(?:Flask|Bottle|falcon\.App|Dash|get_wsgi_application|create_app|make_app)\(/m) ?? factory(source)
  if (wsgi && wants('gunicorn')) return `gunicorn ${wsgi}`
  if (wsgi && wants('waitress')) return `waitress-serve --listen=${listenHost}:$PORT ${wsgi.includes('(') ? `--call ${wsgi.replace(/\(\)'?$/, '').replace(/^'/, '')}` : wsgi}`
  if (wsgi && wants('flask')) return `flask --app ${wsgi} run --host ${listenHost} --port $PORT`
  const script = ['main.py', 'app.py', 'server.py', 'application.py', 'run.py', 'wsgi.py', 'hello.py', 'src/main.py', 'src/app.py'].find((file) => paths.includes(file))
  return script === undefined ? undefined : `python ${script}`
}

type Wants = (...names: string[]) => boolean

/** Whether one of the packages is among the dependencies, as far as the files name them. */
function dependencyTest({ texts }: SourceFacts): Wants {
  const text = listed.map((file) => texts[file] ?? '').join('\n').toLowerCase()
  return (...names) => names.some((name) => new RegExp(`(^|[\\s"'])${name.replace(/[[\]]/g, '\\$&')}(?![\\w-])`, 'm').test(text))
}

function djangoCommand({ paths }: SourceFacts, wants: Wants): string {
  const entry = (name: string): string | undefined => paths.find((path) => path.split('/').length === 2 && path.endsWith(`/${name}.py`))?.replace('/', '.').replace(/\.py$/, '')
  const wsgi = entry('wsgi')
  const asgi = entry('asgi')
  if (wsgi && wants('gunicorn')) return `gunicorn ${wsgi}`
  if (asgi && wants('uvicorn')) return `uvicorn ${asgi}:application --host ${listenHost} --port $PORT`
  return `python manage.py runserver --noreload ${listenHost}:$PORT`
}

function moduleName(file: string): string {
  return file.replace(/\/__init__\.py$|\.py$/, '').replaceAll('/', '.')
}

function findApplication({ texts }: SourceFacts, pattern: RegExp): string | undefined {
  for (const file of modules) {
    const name = pattern.exec(texts[file] ?? '')?.[1]
    if (name !== undefined) return `${moduleName(file)}:${name}`
  }
  return undefined
}

function factory({ texts }: SourceFacts): string | undefined {
  const file = modules.find((name) => /^def create_app\(\s*\)/m.test(texts[name] ?? ''))
  return file === undefined ? undefined : `'${moduleName(file)}:create_app()'`
}
