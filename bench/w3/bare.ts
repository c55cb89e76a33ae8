/** The work alone. */
import { measure, work } from "./measure.ts"

await measure((n) => work(n))
