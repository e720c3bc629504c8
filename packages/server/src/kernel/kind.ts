/**
 * A kind is defined once and gets storage, REST, watch, OpenAPI, CLI verbs, tables, authorization, audit and its
 * place in `pavior explain`. Rooms call `defineKind` in their `kinds.ts`; main.ts hands all of them to the registry.
 */
import type { Cause, Resource, Role, Verb } from '@pavior/contract'
import type { TObject } from 'typebox'

export type { Verb }

/** A column of `kubectl get` and of the portal's list. `priority` 1 is shown with `-o wide` only. */
export interface Column<R> {
  name: string
  type: 'string' | 'integer' | 'number' | 'boolean' | 'date'
  description: string
  priority?: 0 | 1
  value: (resource: R) => string | number | boolean | undefined
}

export interface KindDefinition<Spec = any, Status = any> {
  /** CamelCase, singular. */
  kind: string
  /** Lower case; the path segment of the REST API. */
  plural: string
  /** Lower case; default: `kind` in lower case. */
  singular?: string
  shortNames?: string[]
  /** `Namespaced`: lives in a team. */
  scope: 'Namespaced' | 'Cluster'
  /** What it is, in one or two sentences; the text of `pavior explain`. */
  description: string
  spec: TObject
  status?: TObject
  columns: Column<Resource<Spec, Status>>[]
  /** Paths such as `spec.app` that field selectors may use; each gets an expression index. `metadata.name` and `metadata.namespace` always work. */
  indexes?: string[]
  /** Longest name. Default 253; kinds whose name becomes part of a host name have less. */
  maxNameLength?: number
  /** `label`: one lower-case DNS label that begins with a letter; `subdomain` (default): labels joined by dots. */
  nameForm?: 'label' | 'subdomain'
  /** Names that may not be taken. */
  reservedNames?: string[]
  /** The spec may not change once it exists, except for these top-level fields. */
  immutable?: { except: string[] }
  /**
   * What each role of the team may do beyond reading; an administrator of the platform may do everything. `Cluster` kinds
   * are read by every signed-in user and written by platform administrators unless said otherwise here.
   */
  access: Partial<Record<Role, Verb[]>>
  /** Rules over several fields, and over the change: `previous` is undefined at creation. */
  validate?: (next: Resource<Spec, Status>, previous: Resource<Spec, Status> | undefined) => Cause[]
  /** What is allowed and hardly meant; the answer to a write carries it as `Warning`. */
  warn?: (next: Resource<Spec, Status>, now: Date) => string[]
  /** Fills in what a user may leave out. Must be repeatable. */
  defaults?: (spec: Spec) => Spec
}

export function defineKind<Spec, Status>(definition: KindDefinition<Spec, Status>): KindDefinition<Spec, Status> {
  return definition
}

/** All kinds of the installation, found by kind, plural, singular or short name. */
export class KindRegistry {
  readonly all: readonly KindDefinition[]
  readonly #byWord = new Map<string, KindDefinition>()

  constructor(kinds: readonly KindDefinition[]) {
    this.all = kinds
    for (const kind of kinds) {
      for (const word of [kind.kind, kind.plural, kind.singular ?? kind.kind.toLowerCase(), ...(kind.shortNames ?? [])]) {
        const taken = this.#byWord.get(word)
        if (taken && taken !== kind) throw new Error(`kinds ${taken.kind} and ${kind.kind} both want the name ${word}`)
        this.#byWord.set(word, kind)
      }
    }
  }

  find(word: string): KindDefinition | undefined {
    return this.#byWord.get(word)
  }

  byPlural(plural: string): KindDefinition | undefined {
    const kind = this.#byWord.get(plural)
    return kind?.plural === plural ? kind : undefined
  }

  /** For kinds that code names; an unknown one is a fault of ours. */
  mustFind(word: string): KindDefinition {
    const kind = this.#byWord.get(word)
    if (!kind) throw new Error(`no such kind: ${word}`)
    return kind
  }
}
