import { describe, expect, test } from 'vitest'
import { parseSocketTable } from './listening.ts'
import { judgeStatusLine } from './probe.ts'
import { exitProblem, failingProblem, formatBytes, formatDuration, notHealthyProblem } from './problems.ts'

const subject = { instance: 'shop-web-3-0a1b2c', team: 'payments', app: 'checkout-api', process: 'web', release: 24, environment: 'production' }
const late = { port: 41207, timeoutMs: 30_000, lastLines: ['up'] }
const exited = {
  command: ['node', 'x.js'],
  limits: { memoryBytes: 256 * 1024 * 1024, cpu: 1, pids: 10 },
  ranMs: 1500,
  lastLines: ['Error: no', ''],
  wasHealthy: false,
}

describe('problems', () => {
  test('name the port that is bound instead', () => {
    const problem = notHealthyProblem(subject, {
      ...late,
      last: { ok: false, why: 'refused' },
      listening: [{ address: '0.0.0.0', port: 3000 }],
    })
    expect(problem.code).toBe('PORT_NOT_BOUND')
    expect(problem.message).toBe('checkout-api v24 did not listen on PORT 41207 within 30 s; it listens on 3000 instead.')
    expect(problem.facts).toMatchObject({ port: 41207, boundPorts: [3000], lastLines: ['up'] })
  })

  test('tell what EXPOSE means here', () => {
    const problem = notHealthyProblem(subject, { ...late, exposed: [3000, 9090], listening: [{ address: '0.0.0.0', port: 3000 }] })
    expect(problem.why).toBe('The Dockerfile says EXPOSE 3000 9090; here that is a hint only: the platform gives every instance its own port in the environment variable PORT.')
    expect(problem.fix).toContain('Listen on the port that PORT names')
    expect(problem.facts).toMatchObject({ boundPorts: [3000], exposedPorts: [3000, 9090] })
  })

  test.each([
    [1, ["Error: Cannot find module 'pg'", 'Require stack:', '- /app/x.js'], /dependencies/],
    [1, ["Error: Cannot find module '/app/dist/x.js'"], /file that the command/],
    [1, ['Error: listen EADDRINUSE: address already in use :::3000'], /PORT names/],
    [1, ['Error: connect ECONNREFUSED 127.0.0.1:5432'], /wait for it/],
    [0, ['bye'], /run until it is told to stop/],
    [3, [], /pavior run --app checkout-api/],
  ])('advise by how and with which words a process ended: %s %s', (code, lastLines, fix) => {
    const problem = exitProblem(subject, { exit: { code, at: '2030-01-01T00:00:00.000Z' }, usage: {} }, { ...exited, lastLines })
    expect(problem.fix).toMatch(fix)
    expect(problem.why).toBe(lastLines.length === 0 ? undefined : `It said: ${lastLines[0]}`)
  })

  test('tell when the right port is bound on an address that is out of reach', () => {
    const problem = notHealthyProblem(subject, {
      ...late,
      last: { ok: false, why: 'refused' },
      listening: [{ address: '::1', port: 41207 }],
    })
    expect(problem.message).toContain('it listens on [::1]:41207 only')
    expect(problem.fix).toContain('0.0.0.0')
  })

  test('tell the status that was seen', () => {
    const problem = notHealthyProblem(subject, { ...late, path: '/up', last: { ok: false, why: 'status', status: 503 }, listening: [] })
    expect(problem.code).toBe('HEALTH_CHECK_FAILED')
    expect(problem.message).toBe('checkout-api v24 answered /up with status 503 for 30 s after its start.')
    expect(problem.facts).toMatchObject({ status: 503 })
    expect(failingProblem(subject, { path: '/up', failures: 3, last: { ok: false, why: 'silent' }, lastLines: [] }).message).toBe(
      'checkout-api v24 did not answer /up in time, 3 times in a row, so it is started again.',
    )
  })

  test('tell how a process ended', () => {
    const at = '2030-01-01T00:00:00.000Z'
    expect(exitProblem(subject, { exit: { code: 3, at }, usage: {} }, exited)).toMatchObject({
      code: 'PROCESS_EXITED',
      message: 'checkout-api v24 exited with code 3 after 1.5 s, before it was healthy.',
      why: 'It said: Error: no',
      fix: 'Correct that and deploy again; everything it said is in pavior logs checkout-api --release v24.',
      facts: { code: 3, lastLines: exited.lastLines },
    })
    const written = exitProblem(subject, { exit: { code: 1, at }, usage: {} }, { ...exited, lastLines: ["mkdir': Read-only file system @ dir_s_mkdir - /app/tmp (Errno::EROFS)"] })
    expect(written.fix).toContain('TMPDIR')
    expect(exitProblem({ ...subject, process: 'worker' }, { exit: { signal: 'SIGSEGV', at }, usage: {} }, exited).message).toContain(
      "checkout-api's worker v24 was ended by SIGSEGV",
    )
    expect(exitProblem(subject, { exit: { signal: 'SIGKILL', outOfMemory: true, at }, usage: {} }, exited)).toMatchObject({
      code: 'OUT_OF_MEMORY',
      message: expect.stringContaining('256 MB'),
    })
    expect(exitProblem(subject, { exit: { code: 127, at }, neverRan: 'not found', usage: {} }, exited)).toMatchObject({
      code: 'START_FAILED',
      message: expect.stringContaining('node was not found'),
    })
  })

  test('print sizes and times for people', () => {
    expect([512, 2048, 1.5 * 1024 ** 3].map(formatBytes)).toEqual(['512 bytes', '2 kB', '1.5 GB'])
    expect([20, 1500, 30_000, 600_000].map(formatDuration)).toEqual(['20 ms', '1.5 s', '30 s', '10 min'])
  })
})

test("listening sockets are read from the kernel's tables", () => {
  const table = [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
    '   0: 0100007F:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1 0 100 0 0 10 0',
    '   1: 0100007F:0BB9 0100007F:0BB8 01 00000000:00000000 00:00000000 00000000     0        0 112 1 0 100 0 0 10 0',
    '   2: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 113 1',
    '   3: 00000000000000000000000001000000:1F91 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 114 1',
  ].join('\n')
  expect(parseSocketTable(table)).toEqual([
    { address: '127.0.0.1', port: 3000, inode: '111' },
    { address: '::', port: 8080, inode: '113' },
    { address: '::1', port: 8081, inode: '114' },
  ])
})

test('status lines', () => {
  expect(judgeStatusLine('HTTP/1.1 204 No Content\r\n')).toEqual({ ok: true })
  expect(judgeStatusLine('HTTP/1.0 302 Found\r\n')).toEqual({ ok: true })
  expect(judgeStatusLine('HTTP/1.1 404 Not Found\r\n')).toEqual({ ok: false, why: 'status', status: 404 })
  expect(judgeStatusLine('SSH-2.0-OpenSSH\r\n')).toEqual({ ok: false, why: 'broken' })
})
