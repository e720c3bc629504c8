/** The header of a tar entry as a hostile packer writes it: past what the library refuses to write. */
export function rawHead(name: string, { type = '0', size = 0, link = '' }: { type?: string; size?: number; link?: string } = {}): Buffer {
  const head = Buffer.alloc(512)
  head.write(name, 0, 'latin1')
  head.write('0000644\0', 100)
  head.write('0000000\0', 108)
  head.write('0000000\0', 116)
  head.write(`${size.toString(8).padStart(11, '0')}\0`, 124)
  head.write('00000000000\0', 136)
  head.write('        ', 148)
  head.write(type, 156)
  head.write(link, 157)
  head.write('ustar\u000000', 257)
  head.write(`${head.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, '0')}\0 `, 148)
  return head
}
