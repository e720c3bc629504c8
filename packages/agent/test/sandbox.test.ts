import { sandboxSuite } from './sandbox-suite.ts'

sandboxSuite('bubblewrap with cgroup v1', { sandbox: 'bubblewrap', cgroup: 'v1' })
sandboxSuite('bubblewrap with cgroup v2', { sandbox: 'bubblewrap', cgroup: 'v2' })
sandboxSuite('bubblewrap without cgroup', { sandbox: 'bubblewrap', cgroup: 'none' })
sandboxSuite('no sandbox with cgroup v1', { sandbox: 'none', cgroup: 'v1' })
sandboxSuite('no sandbox without cgroup', { sandbox: 'none', cgroup: 'none' })
