/**
 * Reviews as kubectl sends them since 1.32: protobuf in the envelope of Kubernetes (`k8s\0` and a `runtime.Unknown`).
 *
 * Numbers are those of https://github.com/kubernetes/api, authorization/v1/generated.proto.
 */
import { fail } from '@pavior/contract'
import protobuf from 'protobufjs'

export const kubernetesProtobuf = 'application/vnd.kubernetes.protobuf'

const magic = Buffer.from('k8s\0')

const text = (id: number): protobuf.IField => ({ type: 'string', id })
const message = (type: string, id: number): protobuf.IField => ({ type, id })

const root = protobuf.Root.fromJSON({
  nested: {
    TypeMeta: { fields: { apiVersion: text(1), kind: text(2) } },
    Unknown: { fields: { typeMeta: message('TypeMeta', 1), raw: { type: 'bytes', id: 2 } } },
    ResourceAttributes: {
      fields: {
        namespace: text(1),
        verb: text(2),
        group: text(3),
        version: text(4),
        resource: text(5),
        subresource: text(6),
        name: text(7),
      },
    },
    NonResourceAttributes: { fields: { path: text(1), verb: text(2) } },
    AccessSpec: {
      fields: { resourceAttributes: message('ResourceAttributes', 1), nonResourceAttributes: message('NonResourceAttributes', 2) },
    },
    SelfSubjectAccessReview: { fields: { spec: message('AccessSpec', 2) } },
    RulesSpec: { fields: { namespace: text(1) } },
    SelfSubjectRulesReview: { fields: { spec: message('RulesSpec', 2) } },
    SelfSubjectReview: { fields: {} },
  },
})
const reviews = ['SelfSubjectAccessReview', 'SelfSubjectRulesReview', 'SelfSubjectReview']

/** The review as the object that its JSON would give; throws BAD_REQUEST. */
export function decodeReview(body: Buffer): { apiVersion: string; kind: string; spec?: object } {
  try {
    if (!body.subarray(0, magic.length).equals(magic)) throw new Error('it does not begin as protobuf of Kubernetes does')
    const { typeMeta, raw } = root.lookupType('Unknown').decode(body.subarray(magic.length)) as unknown as {
      typeMeta?: { apiVersion: string; kind: string }
      raw: Uint8Array
    }
    const { apiVersion = '', kind = '' } = typeMeta ?? {}
    if (!reviews.includes(kind)) throw new Error(`it holds ${kind || 'nothing known'}`)
    const type = root.lookupType(kind)
    return { apiVersion, kind, ...type.toObject(type.decode(raw)) }
  } catch (error) {
    throw fail('BAD_REQUEST', { message: `The protobuf body cannot be read: ${(error as Error).message}.`, fix: 'Send JSON.' })
  }
}
