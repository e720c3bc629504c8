import { describe, expect, test } from 'vitest'
import { KindRegistry } from '../kind.ts'
import { aggregated, groups, resourceList } from './discovery.ts'
import { createOpenApi } from './openapi.ts'
import { openApiV2Message } from './openapi-protobuf.ts'
import { kernelTestKinds } from './testing/kinds.ts'

const kinds = new KindRegistry(kernelTestKinds)
const openApi = createOpenApi(kinds, '0.1.0')
const v2 = JSON.parse(openApi.v2Json())
const v3 = JSON.parse(openApi.v3Document('apis/pavior.dev/v1')!)

/** Every reference of a document, wherever it is. */
function references(node: unknown): string[] {
  if (Array.isArray(node)) return node.flatMap(references)
  if (typeof node !== 'object' || node === null) return []
  return Object.entries(node).flatMap(([key, value]) => (key === '$ref' ? [String(value)] : references(value)))
}

describe('OpenAPI', () => {
  test('every reference leads somewhere', () => {
    for (const ref of references(v2)) expect(v2.definitions).toHaveProperty([ref.replace('#/definitions/', '')])
    for (const ref of references(v3)) expect(v3.components.schemas).toHaveProperty([ref.replace('#/components/schemas/', '')])
  })

  test('every kind is there with its descriptions and its group, version and kind', () => {
    for (const kind of kinds.all) {
      const model = v2.definitions[`dev.pavior.v1.${kind.kind}`]
      expect(model).toMatchObject({
        description: kind.description,
        'x-kubernetes-group-version-kind': [{ group: 'pavior.dev', version: 'v1', kind: kind.kind }],
      })
      expect(v3.components.schemas[`dev.pavior.v1.${kind.kind}`].properties.spec.description).toBe(
        (kind.spec as { description?: string }).description,
      )
    }
    const spec = v2.definitions['dev.pavior.v1.App'].properties.spec.properties
    expect(spec.processes.additionalProperties.properties.cpu).toMatchObject({ type: 'number', minimum: 0, exclusiveMinimum: true })
    expect(spec.declaredBy).toMatchObject({ type: 'string', enum: expect.arrayContaining(['Procfile']) })
    expect(v2.definitions['dev.pavior.v1.Team'].properties.spec.properties.members['x-kubernetes-list-map-keys']).toEqual(['user'])
  })

  test('patches tell that they take dryRun and fieldValidation', () => {
    for (const document of [v2, v3]) {
      const { patch } = document.paths['/apis/pavior.dev/v1/namespaces/{namespace}/apps/{name}']
      expect(patch['x-kubernetes-group-version-kind']).toEqual({ group: 'pavior.dev', version: 'v1', kind: 'App' })
      expect(patch.parameters.map(({ name }: { name: string }) => name)).toEqual(
        expect.arrayContaining(['dryRun', 'fieldValidation', 'fieldManager', 'force']),
      )
    }
  })

  test('the protobuf holds what the JSON holds', () => {
    const message = openApiV2Message()
    const decoded = message.toObject(message.decode(openApi.v2Protobuf()), { longs: Number }) as any
    expect(decoded.swagger).toBe('2.0')
    expect(decoded.paths.path.map(({ name }: { name: string }) => name)).toEqual(Object.keys(v2.paths))
    expect(decoded.definitions.additionalProperties.map(({ name }: { name: string }) => name)).toEqual(Object.keys(v2.definitions))
    const app = decoded.definitions.additionalProperties.find(({ name }: { name: string }) => name === 'dev.pavior.v1.App').value
    expect(app.vendorExtension).toEqual([
      { name: 'x-kubernetes-group-version-kind', value: { yaml: '[{"group":"pavior.dev","version":"v1","kind":"App"}]' } },
    ])
    const property = (schema: any, name: string): any =>
      schema.properties.additionalProperties.find((one: { name: string }) => one.name === name).value
    expect(property(property(app, 'spec'), 'description')).toMatchObject({
      type: { value: ['string'] },
      maxLength: 1000,
      description: 'What the app does.',
    })
    expect(property(app, 'metadata').ref).toBe('#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta')
  })

  test('the index leads to the document of the group, and changes with it', () => {
    const index = JSON.parse(openApi.v3Index())
    expect(index.paths['apis/pavior.dev/v1'].serverRelativeURL).toMatch(/^\/openapi\/v3\/apis\/pavior\.dev\/v1\?hash=[0-9A-F]{32}$/)
    expect(createOpenApi(new KindRegistry(kernelTestKinds.slice(1)), '0.1.0').v3Index()).not.toBe(openApi.v3Index())
    expect(openApi.v3Document('apis/other/v1')).toBeUndefined()
  })
})

describe('discovery', () => {
  test('plain and aggregated say the same', () => {
    const plain = resourceList('pavior.dev', kinds) as { resources: { name: string; verbs: string[] }[] }
    const together = aggregated(groups, kinds, 'v2') as {
      items: {
        metadata: { name: string }
        versions: { resources: { resource: string; verbs: string[]; subresources?: { subresource: string }[] }[] }[]
      }[]
    }
    const ours = together.items.find(({ metadata }) => metadata.name === 'pavior.dev')!.versions[0]!.resources
    const names = ours.flatMap(({ resource, subresources = [] }) => [
      resource,
      ...subresources.map(({ subresource }) => `${resource}/${subresource}`),
    ])
    expect(names).toEqual(plain.resources.map(({ name }) => name))
    expect(ours[0]!.verbs).toEqual(plain.resources[0]!.verbs)
  })
})
