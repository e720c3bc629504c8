/** Dropping rights with setpriv of util-linux. */

/** Arguments in front of a command that take every right from it, and give it the user id where there is one. */
export function dropPrivileges(setpriv: string | undefined, options: { root: boolean; uid?: number }): string[] {
  if (!setpriv) return []
  const drop = [setpriv, '--no-new-privs']
  if (!options.root) return drop
  if (options.uid !== undefined) drop.push(`--reuid=${options.uid}`, `--regid=${options.uid}`, '--clear-groups')
  return [...drop, '--inh-caps=-all', '--bounding-set=-all']
}
