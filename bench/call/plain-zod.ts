import { measure } from "./measure.ts"
import { Input, Output, price } from "./task.ts"

await measure(async (order) => Output.parse(await price(Input.parse(order))))
