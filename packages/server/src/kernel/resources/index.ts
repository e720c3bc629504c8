export { createResources, type Admission, type AdmissionRequest, type LastWord, type ResourcesDeps, type Validator } from './resources.ts'
export { appOf, auditedTeams, auditKind, authorize, mayAct, readableTeams, type About } from './authorize.ts'
export type * from './types.ts'
