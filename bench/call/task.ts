/** The task of every in-process call: a small order in, its price out, Zod on both sides. */
import { z } from "zod"

export const Input = z.object({ sku: z.string().min(1), quantity: z.number().int(), kind: z.enum(["plain", "gift"]) })
export const Output = z.object({ sku: z.string(), totalCents: z.number().int(), state: z.enum(["open", "closed"]) })
export type Order = z.infer<typeof Input>
export type Priced = z.infer<typeof Output>

export async function price(order: Order): Promise<Priced> {
  return { sku: order.sku, totalCents: order.quantity * 1290, state: order.kind === "gift" ? "open" : "closed" }
}

export const caller = { id: "u1", kind: "user" as const, roles: ["clerk"] }
