/** What somebody changed of an app, in words, with what takes it back where one command does. Pure; values are never told, they may be secret. */
import type { AppSpec } from '@pavior/contract'

export interface WhatChanged {
  /** `scaled web of shop from 1 to 3 in production`. */
  text: string
  /** It leads to a deployment, which tells more. */
  deploys: boolean
  /** Command that takes it back. */
  undo?: string
}

type Told = Pick<WhatChanged, 'text' | 'undo'>

const mostNames = 5

/** Undefined when nothing of it can be told. */
export function whatChanged(name: string, team: string, before: AppSpec, after: AppSpec): WhatChanged | undefined {
  const configuration = configured(name, before, after)
  const told: Told[] = [...scaled(name, team, before, after), ...configuration, ...restarted(name, before, after)]
  const others = keysOf(before, after).filter((key) => !['scale', 'config', 'restart'].includes(key) && differ(before[key], after[key]))
  if (told.length === 0 && others.length === 0) return undefined
  const rest = others.length === 0 ? [] : [`changed ${listed(others)} of ${name}`]
  const undo = told.length === 1 && rest.length === 0 ? told[0]!.undo : undefined
  return { text: [...told.map(({ text }) => text), ...rest].join(', and '), deploys: configuration.length + others.length > 0, ...(undo === undefined ? {} : { undo }) }
}

function keysOf<T extends object>(before: T, after: T): (keyof T & string)[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted() as (keyof T & string)[]
}

function differ(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) !== JSON.stringify(other)
}

function scaled(name: string, team: string, before: AppSpec, after: AppSpec): Told[] {
  return keysOf(before.scale ?? {}, after.scale ?? {}).flatMap((environment) => {
    const [was = {}, is = {}] = [before.scale?.[environment], after.scale?.[environment]]
    return keysOf(was, is).filter((process) => was[process] !== is[process]).map((process) => ({
      text: `scaled ${process} of ${name}${was[process] === undefined ? '' : ` from ${was[process]}`} to ${is[process] ?? 'what is declared'} in ${environment}`,
      ...(was[process] === undefined ? {} : { undo: `pavior scale ${process}=${was[process]} --app ${name} --environment ${environment} --team ${team}` }),
    }))
  })
}

function configured(name: string, before: AppSpec, after: AppSpec): Told[] {
  return keysOf(before.config ?? {}, after.config ?? {}).flatMap((environment) => {
    const [was = {}, is = {}] = [before.config?.[environment], after.config?.[environment]]
    const names = keysOf(was, is).filter((variable) => was[variable] !== is[variable])
    return names.length === 0 ? [] : [{ text: `set ${listed(names)} of ${name} in ${environment}` }]
  })
}

function restarted(name: string, before: AppSpec, after: AppSpec): Told[] {
  return keysOf(before.restart ?? {}, after.restart ?? {}).filter((environment) => before.restart?.[environment] !== after.restart?.[environment]).map((environment) => ({ text: `restarted ${name} in ${environment}` }))
}

function listed(names: readonly string[]): string {
  return names.length > mostNames ? `${names.slice(0, mostNames).join(', ')} and ${names.length - mostNames} more` : names.join(', ')
}
