export { createResources, type ResourcesDeps, type Validator } from './resources.ts'
export { mayAct } from './authorize.ts'
export type * from './types.ts'
