import type { Operation } from "../../contract/operation.ts"
import type { JsonSchema } from "../../contract/schema.ts"
import { EVENTS_MEDIA_TYPE, LINES_MEDIA_TYPE } from "../stream-stages.ts"
import type { SchemaLibrary } from "./schemas.ts"

/** Where a file's type is not declared, it can be any. */
const ANY = "*/*"
const BYTES: JsonSchema = { type: "string", format: "binary" }

/** The two forms in which a file is taken: as the whole body, and as a part of a form after its fields. */
export function uploadBody(operation: Operation, lift: (schema: JsonSchema) => JsonSchema): object {
  const { types } = operation.input.file!
  const { properties, required, ...rest } = operation.input.json
  const names = operation.route!.params
  const isOwn = (name: string): boolean => !names.includes(name)
  const form = {
    ...rest,
    properties: Object.fromEntries(Object.entries(properties ?? {}).filter(([name]) => isOwn(name))),
    required: (required ?? []).filter(isOwn),
  }
  const alone = Object.fromEntries((types.length > 0 ? types : [ANY]).map((type) => [type, { schema: BYTES }]))
  return { required: true, content: { ...alone, "multipart/form-data": { schema: lift(form) } } }
}

/** What is sent piece by piece; `null` for JSON. */
export function streamedContent({ output, path }: Operation, library: SchemaLibrary): object | null {
  if (output.file) {
    const { types } = output.file
    return Object.fromEntries((types.length > 0 ? types : [ANY]).map((type) => [type, { schema: BYTES }]))
  }
  if (!output.items) return null
  const { json } = output.items
  // OpenAPI 3.1 has no word for "one after the other": the schema is that of each item.
  const schema = library.lift(json, json, { hint: `${path}.item`, side: "Output" })
  return { [LINES_MEDIA_TYPE]: { schema }, [EVENTS_MEDIA_TYPE]: { schema } }
}
