/** Once before all tests: two that unpack the browser at the same moment would each start half of it. */
import { findChromium } from './chromium.ts'

export default async function unpack(): Promise<void> {
  await findChromium()
}
