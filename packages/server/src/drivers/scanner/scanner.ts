/** Looks at artifacts in a program that may read only these two directories. */
import { fail } from '@pavior/contract'
import type { ArtifactScanner, ScanAnswer } from '../../rooms/delivery/ports.ts'
import { askProgram, ProgramEnded, type ProgramLimits } from '../unprivileged/program.ts'

const usualLimits: ProgramLimits = { timeoutMs: 120_000, memoryMib: 1024, outputBytes: 128 * 1024 * 1024 }

/** `program`: path of dist/artifact-scanner.mjs. */
export function createArtifactScanner(program: string, limits = usualLimits): ArtifactScanner {
  return {
    scan: ({ artifact, source, subject }, signal) =>
      askProgram<ScanAnswer>(program, { ...limits, reads: [artifact, ...(source === undefined ? [] : [source])] }, { artifact, source, subject }, signal).catch((error: unknown) => {
        if (!(error instanceof ProgramEnded)) throw error
        throw fail('SCAN_FAILED', { message: `The parts of the artifact ${subject.digest.slice(0, 19)} could not be listed.`, why: error.how === 'crash' ? error.message : `The look at it took too much ${error.how}.` })
      }),
  }
}
