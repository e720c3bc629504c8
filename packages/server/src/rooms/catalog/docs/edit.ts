/** Where a page can be edited on the host of its repository, from what is known of the repository's address. Pure. */

/** Annotations of Backstage that say where an entity's source lies. */
const annotations = ['backstage.io/edit-url', 'backstage.io/source-location', 'backstage.io/view-url', 'backstage.io/managed-by-location']

/** What each host calls a file that is being edited. `rest` is branch and directory. */
const forms: { form: RegExp; edit: (repository: string, branch: string, path: string) => string }[] = [
  { form: /^(.+?)\/-\/(?:tree|blob|edit|raw)\/([^/]+)(\/.*)?$/, edit: (repository, branch, path) => `${repository}/-/edit/${branch}/${path}` },
  { form: /^(.+?)\/(?:src|raw|_edit)\/branch\/([^/]+)(\/.*)?$/, edit: (repository, branch, path) => `${repository}/_edit/${branch}/${path}` },
  { form: /^(.+?)\/_edit\/([^/]+)(\/.*)?$/, edit: (repository, branch, path) => `${repository}/_edit/${branch}/${path}` },
  { form: /^(\/[^/]+\/[^/]+)\/(?:tree|blob|edit|raw)\/([^/]+)(\/.*)?$/, edit: (repository, branch, path) => `${repository}/edit/${branch}/${path}` },
  { form: /^(\/[^/]+\/[^/]+)\/src\/([^/]+)(\/.*)?$/, edit: (repository, branch, path) => `${repository}/src/${branch}/${path}?mode=edit&at=${branch}` },
]

/** A repository's address without a branch: the host alone says how files are named there. */
const hosts: { host: RegExp; tree: string }[] = [
  { host: /gitlab/i, tree: '/-/tree/' },
  { host: /bitbucket/i, tree: '/src/' },
  { host: /gitea|codeberg|forgejo/i, tree: '/src/branch/' },
  { host: /github/i, tree: '/tree/' },
]

/** The first annotation that leads to a file on a host that is known. */
export function editUrlOf(said: Readonly<Record<string, string>>, path: string, branch: string): string | undefined {
  for (const name of annotations) {
    const text = Object.hasOwn(said, name) ? said[name] : undefined
    const url = text === undefined ? undefined : editUrl(text, path, branch)
    if (url !== undefined) return url
  }
  return undefined
}

/** `location`: `url:https://host/owner/repo/tree/main/dir/`, the address of a file there, or that of the repository. */
export function editUrl(location: string, path: string, branch: string): string | undefined {
  const text = location.replace(/^url:/, '')
  const url = URL.canParse(text) ? new URL(text) : undefined
  // An address with a user or password in it is shown to nobody.
  if (!url || !['https:', 'http:'].includes(url.protocol) || url.username || url.password) return undefined
  if (url.pathname.includes('/_git/')) return azureUrl(url, path, branch)
  const place = url.pathname.replace(/\/$/, '')
  const file = text.endsWith('/') || !/\.[a-z]+$/i.test(place) ? '' : place.slice(place.lastIndexOf('/'))
  for (const { form, edit } of forms) {
    const [, repository, at, rest = ''] = form.exec(place) ?? []
    if (repository === undefined || at === undefined) continue
    const directory = rest.slice(0, rest.length - file.length)
    return url.origin + edit(repository, at, encoded(`${directory}/${path}`))
  }
  const known = hosts.find(({ host }) => host.test(url.hostname))
  const repository = place.replace(/\.git$/, '')
  if (known === undefined || repository.split('/').length < 3 || repository.includes('/-/')) return undefined
  return editUrl(`${url.origin}${repository}${known.tree}${encodeURIComponent(branch)}/`, path, branch)
}

function azureUrl(url: URL, path: string, branch: string): string {
  const at = url.searchParams.get('path') ?? '/'
  const directory = /\.[a-z]+$/i.test(at) ? at.slice(0, at.lastIndexOf('/')) : at
  const search = new URLSearchParams({ path: `${directory.replace(/\/$/, '')}/${path}`, version: url.searchParams.get('version') ?? `GB${branch}`, _a: 'contents' })
  return `${url.origin}${url.pathname}?${search}`
}

/** Each part for itself, so that only slashes of ours divide. */
function encoded(path: string): string {
  return path
    .split('/')
    .filter(Boolean)
    .map((part) => encodeURIComponent(decodeSafely(part)))
    .join('/')
}

function decodeSafely(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
