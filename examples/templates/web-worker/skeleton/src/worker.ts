/** The worker process: runs the jobs until it is asked to stop. */
import { jobs } from './jobs.js'
import { log } from './log.js'
import { schedule } from './schedule.js'

const stopping = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopping.abort())

log('info', 'working', { jobs: jobs.map(({ name }) => name) })
await schedule(jobs, stopping.signal, ({ job, ms, error, result }) => {
  if (error) log('error', `job ${job} failed: ${error.message}`, { job, ms, stack: error.stack })
  else log('info', 'job done', { job, ms, ...result })
})
log('info', 'stopped')
