/** Whose word about a request counts: the proxies in front of the router, by their addresses. */
import { BlockList, isIP } from 'node:net'
import { fail } from '@pavior/contract'

/** Whether a connection from this address is a trusted proxy's. Throws CONFIG_INVALID for what is no network. */
export function trustOf(networks: readonly string[]): (address: string) => boolean {
  if (networks.length === 0) return () => false
  const list = new BlockList()
  for (const network of networks) addNetwork(list, network)
  return (address) => {
    const family = isIP(address)
    return family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4')
  }
}

/** `10.0.0.0/8`, `fd00::/8`, or one address. */
function addNetwork(list: BlockList, network: string): void {
  const [address = '', bits, more] = network.split('/')
  const family = isIP(address)
  const widest = family === 6 ? 128 : 32
  const prefix = bits === undefined ? widest : /^\d{1,3}$/.test(bits) ? Number(bits) : NaN
  if (family === 0 || more !== undefined || !(prefix <= widest)) {
    throw fail('CONFIG_INVALID', { message: `"${network}" is no network.`, fix: 'Give networks such as 10.0.0.0/8 or fd00::/8.' })
  }
  list.addSubnet(address, prefix, family === 6 ? 'ipv6' : 'ipv4')
}
