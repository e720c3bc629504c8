/** Rules of the house: contract ← kernel ← rooms ← main; rooms meet through doors; plans do no I/O. See ARCHITECTURE.md. */
const rooms = ['identity', 'secrets', 'catalog', 'delivery', 'policy', 'release', 'gitops', 'runtime', 'routing', 'services', 'telemetry', 'reliability', 'cost', 'flags', 'product']
const error = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to })

/** A room may import only the doors of rooms before it. */
const laterRooms = rooms.slice(0, -1).map((room, index) =>
  error('rooms-read-only-earlier-rooms', `Room ${room} may read only rooms before it.`, { path: `^packages/server/src/rooms/${room}/` }, { path: `^packages/server/src/rooms/(${rooms.slice(index + 1).join('|')})/` }),
)

export default {
  forbidden: [
    error('no-cycles', 'Nothing depends on itself, not even by a detour.', {}, { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } }),
    error('contract-imports-only-the-validator', 'Everybody shares the contract.', { path: '^packages/contract/src/' }, { pathNot: ['^packages/contract/src/', 'node_modules/typebox/'] }),
    error('packages-meet-in-contract', 'Server, agent and CLI share the contract and nothing else.', { path: '^packages/(server|agent|cli)/' }, { path: '^packages/(server|agent|cli)/', pathNot: '^packages/$1/' }),
    error('the-portal-sees-only-the-contract', 'The portal uses the API like everybody else.', { path: '^packages/portal/src/' }, { path: '^packages/', pathNot: ['^packages/portal/src/', '^packages/contract/src/'] }),
    error('portal-rooms-do-not-meet', 'A room of the portal uses frame and pieces, and of another room what it reads.', { path: '^packages/portal/src/rooms/([^/]+)/' }, { path: '^packages/portal/src/rooms/', pathNot: ['^packages/portal/src/rooms/$1/', '/reads\\.ts$'] }),
    error('kernel-knows-no-room', 'The kernel stands on nothing but the contract.', { path: '^packages/server/src/kernel/' }, { path: '^packages/server/src/(rooms|drivers)/' }),
    error('rooms-only-through-their-door', 'A room is entered by its index.ts.', { path: '^packages/server/src/rooms/([^/]+)/' }, { path: '^packages/server/src/rooms/([^/]+)/', pathNot: ['^packages/server/src/rooms/$1/', '/index\\.ts$'] }),
    ...laterRooms,
    error('rooms-know-no-driver', 'Rooms say in ports.ts what they need.', { path: '^packages/server/src/rooms/' }, { path: '^packages/server/src/drivers/' }),
    error('drivers-see-only-ports', 'Drivers see contract, kernel and ports.', { path: '^packages/server/src/drivers/' }, { path: '^packages/server/src/(rooms/.*|[^/]+\\.ts$)', pathNot: '/ports\\.ts$' }),
    error('pg-only-in-the-kernel-database', 'SQL goes through the kernel’s database; rooms keep it in store.ts.', { pathNot: ['^packages/server/src/kernel/db/', '^packages/server/src/(server|up)\\.ts$'] }, { path: 'node_modules/(pg|@types/pg)/' }),
    error('plans-do-no-io', 'A plan decides and touches nothing.', { path: '/plan\\.ts$' }, { path: '^(node:)?(fs|net|http|https|child_process|dgram|tls|worker_threads|fs/promises)$|node_modules/(pg|fastify|undici)/' }),
  ],
}
