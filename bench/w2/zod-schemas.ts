/** The shapes for Zod. */
import { z } from "zod"

const Line = z.strictObject({
  sku: z.string().min(1).max(40),
  quantity: z.number().int().min(1).max(999),
  priceCents: z.number().int().min(0),
})

export const OrderShape = z.strictObject({
  customer: z.strictObject({ id: z.string().min(1).max(40), email: z.email() }),
  lines: z.array(Line).min(1).max(50),
  currency: z.enum(["EUR", "USD", "GBP"]),
  shipTo: z.strictObject({ street: z.string().min(1), city: z.string().min(1), country: z.string().regex(/^[A-Z]{2}$/) }),
  express: z.boolean(),
  note: z.string().max(500).optional(),
})

export const BookedShape = z.object({
  order_no: z.number().int(),
  status: z.enum(["accepted", "queued"]),
  total: z.number().int(),
  cur: z.string(),
  eta: z.string(),
})

export const ReceiptShape = z.object({
  id: z.string(),
  state: z.enum(["accepted", "queued"]),
  totalCents: z.number().int(),
  currency: z.string(),
  arrives: z.string(),
})
