/** Door of room product: how the platform is taken up. */
import type { Database } from '../../kernel/db/index.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import type { Room } from '../../kernel/room.ts'
import { createMilestoneReconcilers } from './reconcile.ts'
import { productRoutes, type ProductRoutesDeps } from './routes.ts'

export function createProduct({ database, resources, firstUses }: ProductRoutesDeps & { database: Database; resources: Resources }): Room<undefined> {
  return { reconcilers: createMilestoneReconcilers({ database, resources }), routes: [productRoutes({ database, firstUses })], parts: [], reads: undefined }
}
