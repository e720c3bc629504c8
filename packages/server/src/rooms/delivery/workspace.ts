/** The directory in which a build works, and the layers that are kept between builds. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { access, chmod, cp, mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { fail, type Mount } from '@pavior/contract'
import type { Layer } from './ports.ts'

const run = promisify(execFile)
/** Layers of an app beyond these many are removed, the least used first. */
const keptLayers = 4

export interface BuildPlaces {
  /** `builds/work/<uid>`: survives a restart of the server. */
  work: (uid: string) => string
  /** `builds/cache/<team>/<app>`: mounted at /cache. */
  cache: (team: string, app: string) => string
  layers: (team: string, app: string) => string
  /** `images`: `store` with the images and layers of podman, `archives` with images that people put there. */
  images: string
}

export function buildPlaces(home: string): BuildPlaces {
  return {
    work: (uid) => join(home, 'builds', 'work', uid),
    cache: (team, app) => join(home, 'builds', 'cache', team, app),
    layers: (team, app) => join(home, 'builds', 'layers', team, app),
    images: join(home, 'images'),
  }
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

/** Copies a tree with times and links; shares blocks where the file system can. */
export async function copyTree(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true })
  await run('cp', ['-a', '--reflink=auto', '--', from, to])
}

/** A fresh copy of the source; only complete ones have the final name. False when it was there. */
export async function prepareWorkspace(source: string, work: string): Promise<boolean> {
  if (await exists(work)) return false
  const unfinished = `${work}.new`
  await rm(unfinished, { recursive: true, force: true })
  await copyTree(source, unfinished)
  await rename(unfinished, work)
  return true
}

/** Where the steps of a build leave an image. */
export function imageOutput(work: string): string {
  return `${work}.image`
}

/** Stored images, and where a new one is left. Archives that people put there are made readable for builds. */
export async function imageMounts({ work, images }: BuildPlaces, uid: string): Promise<Mount[]> {
  const archives = join(images, 'archives')
  await mkdir(archives, { recursive: true })
  for (const name of await readdir(archives)) await chmod(join(archives, name), 0o644).catch(() => {})
  return [
    { source: join(images, 'store'), target: '/images/store', readOnly: false },
    { source: archives, target: '/images/archives', readOnly: true },
    { source: imageOutput(work(uid)), target: '/output', readOnly: false },
  ]
}

/** A half copied one too. */
export async function removeWorkspace(work: string): Promise<void> {
  for (const path of [work, `${work}.new`, imageOutput(work)]) await rm(path, { recursive: true, force: true })
}

export function layerKey({ name, inputs, paths }: Layer): string {
  return createHash('sha256').update(JSON.stringify([name, inputs, paths])).digest('hex').slice(0, 32)
}

/** Puts the layer into the workspace; false when it is not kept. */
export async function restoreLayer(layers: string, layer: Layer, work: string): Promise<boolean> {
  const kept = join(layers, layerKey(layer))
  if (!(await exists(kept))) return false
  for (const path of layer.paths) {
    if (!(await exists(join(kept, path)))) continue
    await rm(join(work, path), { recursive: true, force: true })
    await copyTree(join(kept, path), join(work, path))
  }
  const now = new Date()
  await utimes(kept, now, now)
  return true
}

export async function keepLayer(layers: string, layer: Layer, work: string): Promise<void> {
  const kept = join(layers, layerKey(layer))
  if (await exists(kept)) return
  const unfinished = `${kept}.new`
  await rm(unfinished, { recursive: true, force: true })
  await mkdir(unfinished, { recursive: true })
  for (const path of layer.paths) if (await exists(join(work, path))) await copyTree(join(work, path), join(unfinished, path))
  await rename(unfinished, kept).catch(() => rm(unfinished, { recursive: true, force: true }))
  await dropOldLayers(layers)
}

async function dropOldLayers(layers: string): Promise<void> {
  const names = (await readdir(layers)).filter((name) => !name.endsWith('.new'))
  const aged = await Promise.all(names.map(async (name) => ({ name, at: (await stat(join(layers, name))).mtimeMs })))
  const doomed = aged.toSorted((one, other) => other.at - one.at).slice(keptLayers)
  for (const { name } of doomed) await rm(join(layers, name), { recursive: true, force: true })
}

/** Files of ours in the tree, things left out, and the output directory as the whole of it. Returns what becomes the artifact. */
export async function finishTree(work: string, { add = {}, omit = [], output }: { add?: Record<string, string>; omit?: string[]; output?: string }): Promise<string> {
  for (const path of omit) await rm(join(work, path), { recursive: true, force: true })
  const root = output === undefined ? work : join(work, output)
  if (!(await exists(root))) {
    throw fail('BUILD_FAILED', { message: `The build left no directory "${output}", which the site is served from.`, fix: 'Set build.output in pavior.yaml to the directory that the build writes.', state: 'Nothing was deployed; what served before goes on serving.' })
  }
  for (const [path, file] of Object.entries(add)) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await cp(file, join(root, path))
  }
  return root
}
