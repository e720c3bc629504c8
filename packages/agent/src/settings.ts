/** Every number that the agent works with, with its unit in its name. Tests make them smaller; nothing else changes them. */
export interface AgentSettings {
  /** First wait before an exited instance is started again; doubles with every exit. */
  restartDelayMinMs: number
  /** Longest wait before an exited instance is started again. */
  restartDelayMaxMs: number
  /** An instance that was healthy for this long starts over with the shortest wait. */
  restartDelayResetAfterMs: number
  /** Share of the wait that is random, so that many instances do not start at the same moment. 0 … 1. */
  restartDelayJitter: number
  /** More exits than this within `crashLoopWindowMs` make a crash loop. */
  crashLoopExits: number
  crashLoopWindowMs: number
  /** A start that is not healthy after this multiple of its start timeout is given up and repeated. */
  startGiveUpFactor: number
  /** First wait between two checks of a starting instance; grows to `startProbeMaxMs`. */
  startProbeMinMs: number
  startProbeMaxMs: number
  /** Instances of one set above its replicas while instances are replaced. */
  replaceSurge: number
  /** How often adopted processes, which are not our children, are looked at. */
  adoptedPollMs: number
  /** How often CPU and memory are read. */
  usageIntervalMs: number
  /** The same where no cgroup enforces memory limits, so that the agent has to. */
  memoryPollMs: number
  /** How often a record that could not be saved is tried again. */
  saveRetryMs: number
  /** How often leftovers of a process tree are looked at while it ends. */
  treePollMs: number
  /** How often a task's disk use is looked at. */
  diskPollMs: number
  /** Longest time between two exact counts of a task's files. */
  diskCountMaxMs: number
  /** Bytes of one log that are kept. */
  logKeepBytes: number
  /** Bytes of errors that are kept of what a log gives up before the server has taken it. */
  logErrorsKeptBytes: number
  /** Time resolution of logs. */
  logTickMs: number
  /** Logs of instances that are gone are deleted after this long, or when there are more than `logsKeptCount`. */
  logsKeptMs: number
  logsKeptCount: number
  /** Bytes of the agent's own log before it is set aside. */
  ownLogBytes: number
  /** Log lines that a problem carries. */
  problemLines: number
  /** How often request records are taken from the router. */
  recordsIntervalMs: number
  /** Bytes of request records that are kept while no server takes them. */
  spoolBytes: number
  /** Bytes of single requests that are kept while no server takes them. */
  spanSpoolBytes: number
  /** Shortest and longest time between two looks at who calls through the router. */
  callerLookPauseMs: number
  callerLookPauseMaxMs: number
  /** Largest share of one core that they take. */
  callerLookShare: number
  /** Sockets that one look goes into. */
  callerLookSockets: number
  /** How often watchers hear that the agent lives. */
  aliveIntervalMs: number
  /** Bytes that one watcher may lag behind before its connection is ended. */
  watcherBufferBytes: number
  /** Largest request body. */
  bodyBytes: number
  /** Ports given to instances: below the range from which the kernel takes ports of outgoing connections. */
  portMin: number
  portMax: number
  /** First user id given to an app. */
  uidMin: number
  /** First of the user ids that image builds have for themselves, and how many they are. */
  builderUidMin: number
  builderUids: number
}

export const defaultSettings: AgentSettings = {
  restartDelayMinMs: 100,
  restartDelayMaxMs: 60_000,
  restartDelayResetAfterMs: 5 * 60_000,
  restartDelayJitter: 0.2,
  crashLoopExits: 3,
  crashLoopWindowMs: 60_000,
  startGiveUpFactor: 2,
  startProbeMinMs: 20,
  startProbeMaxMs: 500,
  replaceSurge: 1,
  adoptedPollMs: 1000,
  usageIntervalMs: 15_000,
  memoryPollMs: 1000,
  saveRetryMs: 2000,
  treePollMs: 30,
  diskPollMs: 250,
  diskCountMaxMs: 10_000,
  logKeepBytes: 20 * 1024 * 1024,
  logErrorsKeptBytes: 1024 * 1024,
  logTickMs: 100,
  logsKeptMs: 3 * 24 * 3600_000,
  logsKeptCount: 500,
  ownLogBytes: 20 * 1024 * 1024,
  problemLines: 20,
  recordsIntervalMs: 1000,
  spoolBytes: 32 * 1024 * 1024,
  spanSpoolBytes: 32 * 1024 * 1024,
  callerLookPauseMs: 100,
  callerLookPauseMaxMs: 10_000,
  callerLookShare: 0.02,
  callerLookSockets: 2048,
  aliveIntervalMs: 5000,
  watcherBufferBytes: 4 * 1024 * 1024,
  bodyBytes: 64 * 1024 * 1024,
  portMin: 20_000,
  portMax: 32_000,
  uidMin: 200_000,
  builderUidMin: 1_000_000_000,
  builderUids: 65_536,
}
