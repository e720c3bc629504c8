/**
 * The step that makes `.venv`, as a program for the Python of the build: it works on every version from 3.8 on, and the result
 * is the same for the same input and may be moved: no absolute paths of the build, no times in compiled files.
 */
export const installScript = String.raw`
import json, os, pathlib, py_compile, shutil, subprocess, sys, venv

root = pathlib.Path.cwd()
target = root / '.venv'
python = str(target / 'bin' / 'python')
tools = pathlib.Path(os.environ['BUILD_TOOLS'])
# The environment may stand in the way of a build that brings its own.
environment = {**os.environ, 'VIRTUAL_ENV': str(target), 'PATH': str(target / 'bin') + os.pathsep + os.environ['PATH'], 'UV_PROJECT_ENVIRONMENT': str(target)}

def run(*command):
    code = subprocess.call([str(word) for word in command], env=environment)
    if code != 0:
        sys.exit(code if code > 0 else 1)

def pip(*arguments):
    run(python, '-m', 'pip', 'install', '--no-compile', *arguments)

# Some releases of what pdm stands on do not go with it; the ones it was released with do.
packages = {'pdm': 'pdm[locked]'}

def tool(name):
    place = tools / name
    if not (place / 'bin' / name).exists():
        shutil.rmtree(place, ignore_errors=True)
        venv.EnvBuilder(with_pip=True, symlinks=True).create(place)
        run(place / 'bin' / 'python', '-m', 'pip', 'install', '--quiet', packages.get(name, name))
    return place / 'bin' / name

def locked_by_pipenv():
    lock = json.loads((root / 'Pipfile.lock').read_text())
    indexes = {source['name']: source['url'] for source in lock['_meta'].get('sources', [])}
    lines = []
    for name, entry in sorted(lock['default'].items()):
        extras = '[' + ','.join(entry['extras']) + ']' if entry.get('extras') else ''
        marker = ' ; ' + entry['markers'] if entry.get('markers') else ''
        if 'git' in entry:
            lines.append(f"{name}{extras} @ git+{entry['git']}@{entry['ref']}{marker}")
        elif 'path' in entry:
            lines.append(entry['path'])
        elif 'file' in entry:
            lines.append(f"{name}{extras} @ {entry['file']}{marker}")
        else:
            lines.append(f"{name}{extras}{entry['version']}{marker}")
    others = [url for url in indexes.values() if 'pypi.org' not in url]
    requirements = pathlib.Path(os.environ.get('TMPDIR', '/tmp')) / 'pipfile-requirements.txt'
    requirements.write_text('\n'.join([*('--extra-index-url ' + url for url in others), *lines]) + '\n')
    return requirements

def install(as_package, how, *listed):
    shutil.rmtree(target, ignore_errors=True)
    venv.EnvBuilder(with_pip=True, symlinks=True).create(target)
    if how == 'pip':
        pip('-r', 'requirements.txt')
    elif how == 'pipenv':
        pip('--no-deps', '-r', locked_by_pipenv())
    elif how == 'poetry':
        run(tool('poetry'), 'install', '--only', 'main', '--no-root', '--no-interaction')
    elif how == 'pdm':
        run(tool('pdm'), 'sync', '--prod', '--no-self', '--no-editable')
    elif how == 'uv':
        run(tool('uv'), 'sync', '--frozen', '--no-dev', '--no-editable', '--no-install-project', '--inexact')
    elif how == 'project':
        pip('.')
    elif how == 'listed' and listed:
        pip('--', *listed)
    if as_package and how in ('poetry', 'pdm', 'uv'):
        pip('--no-deps', '.')

def site_directories():
    return sorted(target.glob('lib/python*/site-packages'))

def make_movable():
    for script in sorted((target / 'bin').iterdir()):
        if script.is_symlink() or not script.is_file():
            continue
        content = script.read_bytes()
        first, _, rest = content.partition(b'\n')
        if script.name.lower().startswith('activate'):
            script.unlink()
            continue
        if first == b'#!/bin/sh' and rest.startswith(b"'''exec' "):
            # What pip writes where the path is long or has spaces: two lines more.
            first, rest = b'#!' + rest.split(b'\n', 2)[0], rest.split(b'\n', 2)[2]
        if first.startswith(b'#!') and b'.venv/bin/python' in first:
            script.write_bytes(b'#!/bin/sh\n\'\'\'exec\' "$(dirname -- "$(realpath -- "$0")")/python" "$0" "$@"\n\' \'\'\'\n' + rest)
    settings = target / 'pyvenv.cfg'
    settings.write_text('\n'.join(line for line in settings.read_text().splitlines() if not line.startswith('command')) + '\n')
    for site in site_directories():
        for link in site.glob('*.pth'):
            lines = link.read_text().splitlines()
            link.write_text(''.join((os.path.relpath(line, site) if line.startswith(str(root)) else line) + '\n' for line in lines))
        for record in site.glob('*.dist-info/direct_url.json'):
            if 'file:' in record.read_text():
                record.unlink()

def leave_out_pip():
    # Nothing installs packages into an artifact.
    for site in site_directories():
        for place in [site / 'pip', *site.glob('pip-*.dist-info')]:
            shutil.rmtree(place, ignore_errors=True)
    for script in (target / 'bin').glob('pip*'):
        script.unlink()

def compile_below(top, skipped=()):
    for directory, names, files in os.walk(top):
        names[:] = sorted(name for name in names if name not in skipped and name != '__pycache__')
        for name in sorted(files):
            path = os.path.join(directory, name)
            if not name.endswith('.py') or os.path.islink(path):
                continue
            try:
                py_compile.compile(path, dfile=os.path.relpath(path, root), doraise=True, quiet=2, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
            except (py_compile.PyCompileError, OSError, ValueError, RecursionError):
                pass

if sys.argv[1] == 'compile':
    compile_below(root, skipped=('.venv', 'node_modules', '.git'))
else:
    install(sys.argv[1] == 'package', *sys.argv[2:])
    make_movable()
    leave_out_pip()
    for site in site_directories():
        compile_below(site)
`.trim()
