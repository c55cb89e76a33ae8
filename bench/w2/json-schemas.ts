/** The shapes as JSON Schema, for ajv and Fastify. */
export const orderSchema = {
  type: "object",
  additionalProperties: false,
  required: ["customer", "lines", "currency", "shipTo", "express"],
  properties: {
    customer: {
      type: "object",
      additionalProperties: false,
      required: ["id", "email"],
      properties: { id: { type: "string", minLength: 1, maxLength: 40 }, email: { type: "string", format: "email" } },
    },
    lines: {
      type: "array",
      minItems: 1,
      maxItems: 50,
      items: {
        type: "object",
        additionalProperties: false,
        required: ["sku", "quantity", "priceCents"],
        properties: {
          sku: { type: "string", minLength: 1, maxLength: 40 },
          quantity: { type: "integer", minimum: 1, maximum: 999 },
          priceCents: { type: "integer", minimum: 0 },
        },
      },
    },
    currency: { enum: ["EUR", "USD", "GBP"] },
    shipTo: {
      type: "object",
      additionalProperties: false,
      required: ["street", "city", "country"],
      properties: {
        street: { type: "string", minLength: 1 },
        city: { type: "string", minLength: 1 },
        country: { type: "string", pattern: "^[A-Z]{2}$" },
      },
    },
    express: { type: "boolean" },
    note: { type: "string", maxLength: 500 },
  },
} as const

export const bookedSchema = {
  type: "object",
  required: ["order_no", "status", "total", "cur", "eta"],
  properties: {
    order_no: { type: "integer" },
    status: { enum: ["accepted", "queued"] },
    total: { type: "integer" },
    cur: { type: "string" },
    eta: { type: "string" },
  },
} as const

export const receiptSchema = {
  type: "object",
  required: ["id", "state", "totalCents", "currency", "arrives"],
  properties: {
    id: { type: "string" },
    state: { enum: ["accepted", "queued"] },
    totalCents: { type: "integer" },
    currency: { type: "string" },
    arrives: { type: "string" },
  },
} as const
