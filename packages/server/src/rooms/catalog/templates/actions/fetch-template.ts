/** `fetch:template`: renders files of the template into the workspace. */
import { isUtf8 } from 'node:buffer'
import { fail } from '@pavior/contract'
import { addFiles, below, fits, type Tree, type TreeFile } from '../tree.ts'
import { listOf, optionalText, recordOf, wrongInput } from './input.ts'
import type { Action, Input } from './types.ts'

const name = 'fetch:template'
const suffix = '.njk'

export const fetchTemplate: Action = {
  name,
  description: 'Renders files of the template with nunjucks: values, copyWithoutTemplating, targetPath, templateFileExtension, cookiecutterCompat.',
  pure: true,
  run: async ({ deps, template, workspace, signal }, input) => {
    const found = fetched(name, template.files, input)
    const untouched = [...listOf(name, input, 'copyWithoutTemplating'), ...listOf(name, input, 'copyWithoutRender')]
    const extension = input.templateFileExtension === true ? suffix : optionalText(name, input, 'templateFileExtension')
    const files = [...found].map(([path, file]) => {
      const marked = extension === undefined || extension === 'false' || path.endsWith(extension)
      const render = marked && !fits(path, untouched) && isText(file)
      return { path, render, ...(render ? { content: file.content.toString('utf8') } : {}) }
    })
    const style = { cookiecutter: input.cookiecutterCompat === true, trimBlocks: input.trimBlocks === true, lstripBlocks: input.lstripBlocks === true }
    const answer = await deps.renderer.ask({ op: 'render', files, values: recordOf(name, input, 'values'), style }, signal)
    if (!answer.files) throw fail('TEMPLATE_RENDER_FAILED', { message: `The file ${answer.file ?? '?'} of the template ${template.name} cannot be rendered.`, why: answer.problem })
    const prefix = optionalText(name, input, 'targetPath')
    const rendered = answer.files.map(({ path, target, content }): [string, TreeFile] => {
      const original = found.get(path)!
      const bare = extension !== undefined && extension !== 'false' && target.endsWith(extension) ? target.slice(0, -extension.length) : target
      return [under(prefix, bare), content === undefined ? original : { ...original, content: Buffer.from(content) }]
    })
    addFiles(workspace, rendered)
    return { message: `${rendered.length} files` }
  },
}

/** Files that `url` names: a directory of the template itself. */
export function fetched(action: string, files: Tree, input: Input): Tree {
  const url = optionalText(action, input, 'url') ?? './'
  if (/^[a-z+]+:/i.test(url) || url.startsWith('/')) throw wrongInput(action, `"url" is ${JSON.stringify(url)}; only directories of the template can be fetched, for example ./skeleton.`)
  const found = below(files, url)
  if (found.size === 0) throw wrongInput(action, `the template has no files below ${JSON.stringify(url)}.`)
  return found
}

export function under(prefix: string | undefined, path: string): string {
  return prefix === undefined || prefix === '' ? path : `${prefix.replace(/\/+$/, '')}/${path}`
}

function isText({ content }: TreeFile): boolean {
  return !content.includes(0) && isUtf8(content)
}
