import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { afterAll, describe, expect, test } from 'vitest'
import { noCgroup, type CgroupDriver } from '../src/cgroup/driver.ts'
import { openV1 } from '../src/cgroup/v1.ts'
import { openV2, v2Values } from '../src/cgroup/v2.ts'
import { megabyte } from './harness.ts'

const limits = { memoryBytes: 64 * megabyte, cpu: 0.5, pids: 20 }

/** What every cgroup driver must do, as far as it says that it enforces it. */
function cgroupSuite(name: string, open: () => CgroupDriver | undefined): void {
  describe(name, () => {
    const driver = open()
    if (!driver) console.log(`skipped: ${name}, because no such hierarchy can be written here`)
    const check = driver ? test : test.skip
    afterAll(() => driver?.close())

    /** Runs a script inside of a new group; resolves with the group when the script has ended. */
    async function inside(
      script: string,
      over = {},
      shell = 'bash',
    ): Promise<{ group: ReturnType<CgroupDriver['create']>; code: number | null; signal: string | null }> {
      const group = driver!.create(`test-${randomBytes(4).toString('hex')}`, { ...limits, ...over })
      const join = group.joinFiles.map((file) => `echo 0 >'${file}'; `).join('')
      const child = spawn(shell, ['-c', `${join}${script}`], { stdio: 'ignore' })
      const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => child.once('exit', (...all) => resolve(all)))
      return { group, code, signal }
    }

    check('creates, finds again and removes groups', async () => {
      const { group } = await inside('exit 0')
      if (driver!.kind !== 'none') expect(driver!.list().length).toBe(1)
      expect(group.remove()).toBe(true)
      expect(group.remove()).toBe(true)
      expect(driver!.list()).toEqual([])
      expect(group.joinFiles.some((file) => existsSync(file))).toBe(false)
      // A group that is gone knows nothing, and asking is no error.
      expect(group.pids()).toEqual([])
      expect(group.outOfMemoryKills()).toBe(0)
    })

    check('knows every process inside and kills them all', async () => {
      if (!driver!.tracks) return
      const { group } = await inside('setsid sleep 300 & setsid sleep 300 & exit 0')
      expect(group.pids().length).toBe(2)
      expect(group.remove()).toBe(false)
      group.killAll()
      await expect.poll(() => group.remove()).toBe(true)
    })

    check('counts CPU time', async () => {
      const { group } = await inside('i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done')
      if (driver!.enforces.cpu) expect(group.usage().cpuSeconds).toBeGreaterThan(0.05)
      group.remove()
    })

    check('limits CPU', async () => {
      if (!driver!.enforces.cpu) return
      const { group } = await inside('end=$((SECONDS+2)); while [ $SECONDS -lt $end ]; do :; done', { cpu: 0.2 })
      expect(group.usage().cpuSeconds).toBeLessThan(0.9)
      group.remove()
    })

    check('counts what the kernel killed for memory', async () => {
      if (!driver!.enforces.memory) return
      const { group, signal } = await inside('exec node -e "const a=[]; for(;;) a.push(Buffer.alloc(1<<20,1))"')
      expect(signal).toBe('SIGKILL')
      expect(group.outOfMemoryKills()).toBeGreaterThan(0)
      expect(group.usage().maxMemoryBytes).toBeGreaterThan(30 * megabyte)
      group.remove()
    })

    check('limits processes', async () => {
      if (!driver!.enforces.pids) return
      const { group, code } = await inside('for i in $(seq 40); do sleep 60 & done; exit 3', { pids: 10 }, 'dash')
      expect(code).not.toBe(3)
      group.killAll()
      await expect.poll(() => group.remove()).toBe(true)
    })
  })
}

const parent = `pavior-test-${process.pid}/${randomBytes(3).toString('hex')}`
cgroupSuite('cgroup v1', () => openV1(parent))
cgroupSuite('cgroup v2', () => openV2(parent))
cgroupSuite('no cgroup', () => noCgroup)

test('v2 limits are the values that the kernel documents', () => {
  expect(v2Values({ memoryBytes: 1024, cpu: 1.5, pids: 10 }, ['memory', 'cpu', 'pids'])).toEqual([
    ['memory.max', '1024'],
    ['cpu.max', '150000 100000'],
    ['pids.max', '10'],
  ])
  expect(v2Values({ memoryBytes: 1024, cpu: 1.5, pids: 10 }, ['pids'])).toEqual([['pids.max', '10']])
})
