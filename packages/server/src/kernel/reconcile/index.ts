export { createGarbageCollector } from './gc.ts'
export { ReconcileLoop } from './loop.ts'
export { wakesOf } from './wakes.ts'
export { after, done, itself, resourceKeyText, splitKey, type Interest, type Outcome, type Reconciler } from './types.ts'
