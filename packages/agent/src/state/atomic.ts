/** Files that are either whole or not there. */
import { closeSync, fchmodSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Replaces a file in one step, mode 0600.
 * With `durable` it survives a power cut too, at the price of waiting for the disk.
 */
export function writeAtomically(file: string, content: string | Buffer, options: { durable: boolean; mode?: number }): void {
  const next = `${file}.next`
  const descriptor = openSync(next, 'w', options.mode ?? 0o600)
  try {
    if (options.mode !== undefined) fchmodSync(descriptor, options.mode)
    const bytes = typeof content === 'string' ? Buffer.from(content) : content
    for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written)
    if (options.durable) fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  renameSync(next, file)
  if (options.durable) syncDirectory(dirname(file))
}

function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
