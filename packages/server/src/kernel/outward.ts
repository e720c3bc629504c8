/**
 * Addresses that a team names and the server itself connects to. Networks of one's own are fine, because tools stand there;
 * link-local ones are not: a developer must not get the credentials of the machine that Pavior runs on.
 */
import dns, { type LookupAddress, type LookupOptions } from 'node:dns'
import { BlockList, isIP } from 'node:net'

const linkLocal = 'is link-local, where clouds give out the credentials of their machines'
const refusedCode = 'ELINKLOCAL'

/** IPv4-mapped forms are those of IPv4 for a BlockList. */
const refused = new BlockList()
refused.addSubnet('169.254.0.0', 16, 'ipv4')
refused.addSubnet('fe80::', 10, 'ipv6')
// The same addresses as translators between IPv6 and IPv4 write them: IPv4-compatible, NAT64, 6to4.
refused.addSubnet('::a9fe:0', 112, 'ipv6')
refused.addSubnet('64:ff9b::a9fe:0', 112, 'ipv6')
refused.addSubnet('2002:a9fe::', 32, 'ipv6')
// AWS gives out the same by this one where there is IPv6 only.
refused.addAddress('fd00:ec2::254', 'ipv6')

function isRefused(address: string): boolean {
  const [plain = ''] = address.split('%')
  const family = isIP(plain)
  return family !== 0 && refused.check(plain, family === 6 ? 'ipv6' : 'ipv4')
}

/** What is wrong with the name or address of a host, to be said after "it"; names are looked at when they are resolved. */
export function hostProblem(host: string): string | undefined {
  return isRefused(host.replace(/^\[(.*)\]$/, '$1')) ? linkLocal : undefined
}

/** What is wrong with an address for HTTP, to be said after "it". Repeats nothing of it: it may be a secret. */
export function addressProblem(address: string): string | undefined {
  if (!URL.canParse(address)) return 'is no address'
  const { protocol, hostname, username, password } = new URL(address)
  if (!/^https?:$/.test(protocol)) return 'is none of http or https'
  if (username || password) return 'holds a password, and everybody of the team reads it'
  return hostProblem(hostname)
}

/**
 * For `lookup` of a connection: it goes to nothing but what was looked at here, whatever the name resolves to next.
 * Node asks it for names only, so literal addresses need `hostProblem` before.
 */
export function outwardLookup(hostname: string, options: LookupOptions, done: (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void): void {
  dns.lookup(hostname, { ...options, all: true }, (error, found) => {
    if (error) return done(error, '')
    const [first, ...others] = found.filter(({ address }) => !isRefused(address))
    if (!first) return done(Object.assign(new Error(`the name ${linkLocal}`), { code: refusedCode }), '')
    if (options.all) done(null, [first, ...others])
    else done(null, first.address, first.family)
  })
}

/** Of a connection that `outwardLookup` refused: why, to be said after "it". */
export function refusalIn(error: unknown): string | undefined {
  return (error as { code?: unknown }).code === refusedCode ? linkLocal : undefined
}
