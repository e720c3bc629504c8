export * from './agent.ts'
export * from './errors.ts'
export * from './resource.ts'
export * from './kinds/index.ts'
