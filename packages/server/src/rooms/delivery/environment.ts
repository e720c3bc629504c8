/** Environment of build steps and of what they make. Pure. */
import { dirname } from 'node:path'
import type { Tool } from './ports.ts'

const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Variables of a plan say /cache for the directory that is kept between builds. */
export function withCache(env: Record<string, string>, cache: string): Record<string, string> {
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, value.replaceAll(/(?<![\w.-])\/cache(?=\/|$)/g, () => cache)]))
}

/** The tools first, then the system. */
export function pathOf(tools: Tool[]): string {
  const own = tools.filter(({ mounts }) => mounts.length > 0).map(({ path }) => dirname(path))
  return [...new Set([...own, ...tools.map(({ path }) => dirname(path)), ...systemPath.split(':')])].join(':')
}
