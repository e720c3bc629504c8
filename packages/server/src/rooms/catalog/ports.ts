/** What room catalog needs from where sources are kept. */

export interface SourceFiles {
  /** Text of one file of a source; undefined when there is no such file (a link, a directory, too large count as none). */
  read(digest: string, path: string, largestBytes: number): Promise<string | undefined>
  /** Paths of the files below a directory. */
  list(digest: string, directory: string): Promise<{ path: string; size: number }[]>
}
