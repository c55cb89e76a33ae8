/** Browser code: a JSON Schema as a table for people, and as a sample to start from. */
export const SCHEMA = String.raw`
const choices = (schema) => [...list(schema.anyOf), ...list(schema.oneOf)]
const merged = (schema) => {
  const { value } = follow(schema)
  if (!Array.isArray(value.allOf)) return value
  const parts = value.allOf.slice(0, 30).map((part) => follow(part).value)
  return {
    ...Object.assign({}, ...parts), ...value,
    properties: Object.assign({}, ...parts.map((part) => part.properties), value.properties),
    required: [...parts, value].flatMap((part) => list(part.required)),
  }
}

const typeOf = (schema, depth = 0) => {
  const { name } = follow(schema)
  const value = merged(schema)
  if (depth > 4) return "…"
  if ("const" in value) return pretty(value.const)
  const parts = choices(value)
  if (parts.length) return [...new Set(parts.map((part) => typeOf(part, depth + 1)))].join(" or ")
  const types = Array.isArray(value.type) ? value.type : value.type ? [value.type] : []
  if (types.length > 1) return types.map(text).join(" or ")
  if (value.type === "array") {
    const inner = isObject(value.items) ? typeOf(value.items, depth + 1) : value.prefixItems ? "tuple" : "anything"
    return (inner.includes(" ") ? "(" + inner + ")" : inner) + "[]"
  }
  if (value.type === "object" || value.properties) {
    if (!value.properties && isObject(value.additionalProperties)) return "map of " + typeOf(value.additionalProperties, depth + 1)
    return name && !/\.(in|out)put\d*$/.test(name) ? name : "object"
  }
  if (value.type) return text(value.type)
  if (Array.isArray(value.enum)) return [...new Set(value.enum.map((one) => one === null ? "null" : typeof one))].join(" or ")
  return "anything"
}

const span = (min, max, unit) => {
  const many = (count) => unit ? " " + unit + (count === 1 ? "" : "s") : ""
  const low = typeof min === "number" && Math.abs(min) < 9e15
  const high = typeof max === "number" && Math.abs(max) < 9e15
  if (low && high) return [min === max ? "exactly " + min + many(min) : min + " to " + max + many(max)]
  return low ? ["at least " + min + many(min)] : high ? ["at most " + max + many(max)] : []
}

const limitsOf = (value, depth = 0) => {
  if (depth > 3) return []
  const limits = [...span(value.minimum, value.maximum), ...span(value.minLength, value.maxLength, "character"), ...span(value.minItems, value.maxItems, "item")]
  if (typeof value.exclusiveMinimum === "number") limits.push("above " + value.exclusiveMinimum)
  if (typeof value.exclusiveMaximum === "number") limits.push("below " + value.exclusiveMaximum)
  if (value.multipleOf) limits.push("multiple of " + text(value.multipleOf))
  if (value.format) limits.push(text(value.format))
  else if (value.pattern) limits.push("matches " + text(value.pattern))
  if (value.uniqueItems) limits.push("no two alike")
  for (const one of list(value.enum)) limits.push(pretty(one))
  if ("default" in value) limits.push("default " + pretty(value.default))
  const inner = value.type === "array" && isObject(value.items) ? merged(value.items) : null
  return [...limits, ...(inner && !inner.properties ? limitsOf(inner, depth + 1).map((limit) => "each: " + limit) : []), ...choices(value).flatMap((part) => { const one = merged(part); return one.properties ? [] : limitsOf(one, depth + 1) })]
}

/* What is always there in an answer, or has no alternative (null), needs no word. */
const fieldRow = (name, schema, isRequired, depth, isAnswer) => {
  const value = merged(schema)
  const limits = limitsOf(value)
  const need = isRequired === null || (isAnswer && isRequired) ? null : el("span", isRequired ? "need yes" : "need", isAnswer ? "may be absent" : isRequired ? "required" : "optional")
  return el("tr", depthClass(depth),
    el("td", null, el("span", null, el("span", "name", name), need)),
    el("td", null, el("span", "type", typeOf(schema))),
    el("td", null, value.description ? el("div", null, prose(value.description)) : null, limits.length ? el("div", "limits", limits.map((limit) => el("code", null, limit))) : null))
}
const depthClass = (depth) => depth ? "d" + Math.min(depth, 4) : ""
const partRow = (label, depth) => el("tr", "part " + depthClass(depth), el("td", { colspan: "3" }, el("span", null, label)))

/* All rows below one schema; a schema that is already being shown is not shown again inside itself. */
const rowsBelow = (schema, depth, seen, out, isAnswer) => {
  const { value: plain, name } = follow(schema)
  if (depth > 7 || out.length > 400 || (name && seen.includes(name))) return
  const within = name ? [...seen, name] : seen
  const value = merged(schema)
  for (const [key, inner] of entries(value.properties)) {
    out.push(fieldRow(key, inner, list(value.required).includes(key), depth, isAnswer))
    rowsBelow(inner, depth + 1, within, out, isAnswer)
  }
  const others = value.additionalProperties
  if (isObject(others) && Object.keys(others).length && (value.properties || merged(others).properties)) {
    out.push(fieldRow("any other name", others, null, depth))
    rowsBelow(others, depth + 1, within, out, isAnswer)
  }
  if (isObject(value.items)) rowsBelow(value.items, depth, within, out, isAnswer)
  const parts = choices(plain).filter((part) => merged(part).properties || merged(part).items)
  parts.forEach((part, index) => {
    if (parts.length > 1) out.push(partRow(choiceLabel(merged(part), index), depth))
    rowsBelow(part, depth, within, out, isAnswer)
  })
}
const choiceLabel = (part, index) => {
  const tag = entries(part.properties).find(([, inner]) => isObject(inner) && "const" in inner)
  return tag ? "when " + tag[0] + " is " + pretty(tag[1].const) : "choice " + (index + 1)
}

const fieldTable = (parts, isAnswer) => {
  const rows = []
  for (const { label, name, schema, fields } of parts) {
    if (label && (parts.length > 1 || (isAnswer && fields))) rows.push(partRow(label, 0))
    if (fields) for (const field of fields) { rows.push(fieldRow(field.name, field.schema, field.required === null ? null : field.required === true, 0)); rowsBelow(field.schema, 1, [], rows) }
    else {
      const value = merged(schema)
      if (!value.properties) rows.push(fieldRow(name, schema, null, 0))
      rowsBelow(schema, value.properties ? 0 : 1, [], rows, isAnswer)
    }
  }
  return el("table", "fields", el("thead", null, el("tr", null, ["Field", "Type", "Meaning and limits"].map((head) => el("th", { scope: "col" }, head)))), el("tbody", null, rows))
}

/* A value that fits well enough to start from. */
const FORMATS = { email: "ada@example.org", uuid: "3f0c4a52-6f0e-4b0e-9f5c-0d6f6a4f1b2a", "date-time": "2026-01-31T09:00:00Z", date: "2026-01-31", time: "09:00:00", uri: "https://example.org" }
const sampleOf = (schema, depth = 0) => {
  if (depth > 8) return null
  const value = merged(schema)
  if ("default" in value) return value.default
  if ("const" in value) return value.const
  if (list(value.examples).length) return value.examples[0]
  if (list(value.enum).length) return value.enum[0]
  const parts = choices(value)
  if (parts.length) return sampleOf(parts[0], depth + 1)
  const type = Array.isArray(value.type) ? value.type[0] : value.type
  if (type === "object" || value.properties) {
    const needed = entries(value.properties).filter(([key]) => list(value.required).includes(key))
    return Object.fromEntries((needed.length || depth ? needed : entries(value.properties)).map(([key, inner]) => [key, sampleOf(inner, depth + 1)]))
  }
  if (type === "array") return !isObject(value.items) || !(value.minItems > 0 || depth < 2) ? [] : [sampleOf(value.items, depth + 1)]
  if (type === "integer" || type === "number") return typeof value.minimum === "number" && Math.abs(value.minimum) < 9e15 ? value.minimum : 1
  if (type === "boolean") return true
  if (type === "string") return Object.hasOwn(FORMATS, value.format) ? FORMATS[value.format] : "text".padEnd(Math.min(value.minLength || 0, 200), "x")
  return null
}
`
