/** Base images for tests, made of this machine's own files: no registry is needed. */
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const probeTimeoutMs = 10_000

/** Why images cannot be built and run here; undefined when they can. */
export function imagesLack(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root can mount the files of an image'
  for (const program of ['podman', 'bwrap']) {
    try {
      execFileSync(program, ['--version'], { stdio: 'ignore', timeout: probeTimeoutMs })
    } catch {
      return `there is no ${program}`
    }
  }
  return undefined
}

/** Writes an archive, as `docker save` does, of an image with a shell, the programs and a user called node. */
export function writeBaseImage(archive: string, name: string, programs: string[]): void {
  const directory = mkdtempSync(join(tmpdir(), 'pavior-image-'))
  const podman = (...args: string[]): void => {
    execFileSync('podman', ['--root', join(directory, 'storage'), '--runroot', join(directory, 'run'), '--storage-driver', 'vfs', ...args], { stdio: 'pipe' })
  }
  try {
    const root = join(directory, 'root')
    for (const path of ['bin', 'etc', 'tmp', 'home/node', 'root', 'usr']) mkdirSync(join(root, path), { recursive: true })
    for (const program of programs) install(root, program)
    writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\n')
    writeFileSync(join(root, 'etc/group'), 'root:x:0:\nnode:x:1000:\n')
    symlinkSync('/bin', join(root, 'usr/bin'))
    execFileSync('tar', ['-C', root, '-cf', join(directory, 'root.tar'), '.'])
    podman('import', join(directory, 'root.tar'), name)
    podman('save', '--output', join(directory, 'image.tar'), name)
    mkdirSync(dirname(archive), { recursive: true })
    cpSync(join(directory, 'image.tar'), archive)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** A program with its libraries, each at the place where it looks for them. */
function install(root: string, program: string): void {
  const path = program === 'node' ? process.execPath : execFileSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).trim()
  const libraries = [...execFileSync('ldd', [path], { encoding: 'utf8' }).matchAll(/(?:=> |^\s+)(\/\S+) \(0x/gm)].map(([, library]) => library!)
  for (const [from, to] of [[path, `bin/${program}`] as const, ...libraries.map((library) => [library, library] as const)]) {
    if (existsSync(join(root, to))) continue
    mkdirSync(dirname(join(root, to)), { recursive: true })
    copyFileSync(from, join(root, to))
    chmodSync(join(root, to), 0o755)
  }
}
