export { createResources, type Admission, type AdmissionRequest, type LastWord, type ResourcesDeps, type Validator } from './resources.ts'
export { appOf, mayAct } from './authorize.ts'
export type * from './types.ts'
