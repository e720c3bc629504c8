/** Door of room catalog: apps. */
import { app } from './kinds.ts'

export { app } from './kinds.ts'
export const kinds = [app]
