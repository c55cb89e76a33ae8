import { parseBytes } from "../base/bytes.ts"
import { type Body, BYTES_MAX, bodyOf, type FileBody, type FileSource, isOfType } from "./file-body.ts"
import { type Direction, type In, type JsonSchema, jsonSchemaOf, type Out, type Std } from "./schema.ts"

/** Which files are taken, and what comes with them. */
export interface FileOptions<F> {
  /** Largest file: `"1gb"`. Default for inputs `"16mb"`; an answer has none unless it is given. */
  limit?: string
  /** Media types that are taken: `["application/pdf", "video/*"]`. Default: all. */
  types?: readonly string[]
  /** The input's other fields, in path, query or form: a schema of an object with scalars and lists of them. */
  fields?: F
}

/** What a file must be. */
export interface FileRules {
  readonly bytesMax: number
  /** In lower case. */
  readonly types: readonly string[]
}

/** As an input: its fields, and `file`. As an output: the file alone. */
export interface FileSchema<F> extends Std<In<F> & { file: FileSource }, Out<F> & { file: FileBody }> {
  readonly "~file": FileRules & { readonly mistakes: readonly string[] }
  readonly "~answer": Std<FileSource, FileBody>
}

/** No fields but the file. */
type NoFields = Std<{}, {}>
type Issue = { readonly message: string; readonly path: readonly PropertyKey[] }
type Result = { readonly value: unknown } | { readonly issues: readonly Issue[] }

/**
 * A file, taken or answered as it comes, in constant memory.
 *
 * As `input` the value is the fields and `file`, a `FileBody`. Over HTTP the file is the whole body, with the fields in path and query,
 * or a part of `multipart/form-data` named `file`, after the fields. It counts its bytes while they come: one that is too large is
 * `TOO_LARGE` (413) then, one of another type `UNSUPPORTED_MEDIA_TYPE` (415) before. As `output` the backend answers bytes, a `Blob`, a
 * stream, or either with `{ content, name, type, size }`. It does not look into the bytes: the type is what the sender says.
 */
export function file<F extends Std<any, any> = NoFields>(options: FileOptions<F> = {}): FileSchema<F> {
  const { fields, limit } = options
  const types = (options.types ?? []).map((type) => type.toLowerCase())
  const bytesMax = parseBytes(limit)
  const rules: FileRules = { bytesMax: bytesMax ?? BYTES_MAX, types }
  const answerRules: FileRules = { bytesMax: bytesMax ?? Infinity, types }
  const json: JsonSchema = { type: "string", format: "binary", ...(types.length === 1 ? { contentMediaType: types[0] } : {}) }
  return {
    "~file": { ...rules, mistakes: mistakesOf(options, types, fields) },
    "~standard": {
      ...standard(
        (value) => checkInput(value, rules, fields),
        (side) => inputJson(json, fields, side),
      ),
      types: undefined,
    },
    "~answer": {
      "~standard": standard(
        (value) => checkFile(value, answerRules, []),
        () => json,
      ),
    },
  }
}

function standard(validate: (value: unknown) => unknown, json: (side: Direction) => JsonSchema) {
  return { version: 1 as const, vendor: "trestle", validate, jsonSchema: { input: () => json("input"), output: () => json("output") } }
}

function checkFile(value: unknown, rules: FileRules, path: readonly PropertyKey[]): Result {
  const body = bodyOf(value)
  const refuse = (message: string): Result => ({ issues: [{ message, path }] })
  if (body === null) return refuse("must be a file: bytes, a Blob or a stream")
  if (!isOfType(body.type, rules.types)) return refuse(`must be of type ${rules.types.join(" or ")}`)
  if (body.size !== null && body.size > rules.bytesMax) return refuse(`may have ${rules.bytesMax} bytes at most`)
  return { value: limited(body, rules.bytesMax) }
}

/** What cannot be larger need not be counted. */
function limited(body: Body, bytesMax: number): Body {
  return (body.isReplayable && body.size !== null) || bytesMax === Infinity ? body : body.within(bytesMax)
}

function checkInput(value: unknown, rules: FileRules, fields: Std | undefined): Result | Promise<Result> {
  if (typeof value !== "object" || value === null) return { issues: [{ message: "must be an object with `file`", path: [] }] }
  const { file: given, ...rest } = value as Record<string, unknown>
  const checked = checkFile(given, rules, ["file"])
  const others = fields ? (fields["~standard"].validate(rest) as Result | Promise<Result>) : { value: {} }
  return others instanceof Promise ? others.then((settled) => together(settled, checked)) : together(others, checked)
}

function together(fields: Result, checked: Result): Result {
  const issues = [...(("issues" in fields && fields.issues) || []), ...("issues" in checked ? checked.issues : [])]
  if (issues.length > 0) return { issues }
  return { value: { ...(fields as { value: object }).value, file: (checked as { value: unknown }).value } }
}

/** The fields' own schema with one field more. */
function inputJson(json: JsonSchema, fields: Std | undefined, side: Direction): JsonSchema {
  const found = fields ? jsonSchemaOf(fields, side) : { json: { type: "object" } as JsonSchema }
  if ("why" in found) throw new TypeError(`fields: ${found.why}`)
  const { properties, required, ...rest } = found.json
  return { ...rest, properties: { ...properties, file: json }, required: [...(required ?? []), "file"] }
}

function mistakesOf({ limit }: FileOptions<unknown>, types: readonly string[], fields: Std | undefined): string[] {
  const mistakes: string[] = []
  if (limit !== undefined && parseBytes(limit) === null) mistakes.push('limit is not a size such as "1gb"')
  for (const type of types)
    if (!/^[\w!#$&^.+-]+\/(?:\*|[\w!#$&^.+-]+)$/.test(type)) mistakes.push(`"${type}" is no media type such as "video/*"`)
  const found = fields ? jsonSchemaOf(fields, "input") : null
  if (found && "json" in found) {
    if (found.json.type !== "object") mistakes.push("fields is not the schema of one object")
    else if (Object.hasOwn(found.json.properties ?? {}, "file")) mistakes.push("fields declares `file`, which is the file itself")
  }
  return mistakes
}
