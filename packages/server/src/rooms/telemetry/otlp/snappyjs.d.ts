declare module 'snappyjs' {
  const snappy: { uncompress(bytes: Buffer): Buffer; compress(bytes: Buffer): Buffer }
  export default snappy
}
