import { measure } from "./measure.ts"
import { price } from "./task.ts"

await measure(price)
