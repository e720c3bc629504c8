/** Door of room routing: which hosts lead where. */
import { route } from './kinds.ts'

export const kinds = [route]
