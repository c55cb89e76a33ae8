import { Validator } from "@seriousme/openapi-schema-validator"
import { type } from "arktype"
import { describe, expect, test } from "vitest"
import { z } from "zod"
import { value } from "../../backends/value.ts"
import { backend } from "../../contract/backend.ts"
import { file } from "../../contract/file.ts"
import { type Contract, declarationOf, type Op, op, type Route, type Verb } from "../../contract/op.ts"
import type { Operation } from "../../contract/operation.ts"
import { anyone, signedIn } from "../../contract/principal.ts"
import { type JsonSchema, nothing, type Std } from "../../contract/schema.ts"
import { compileShape, type Shape } from "../../contract/shape.ts"
import { stream } from "../../contract/stream.ts"
import { CATALOG } from "../../errors/catalog.ts"
import { problemOf } from "../../errors/problem.ts"
import { TrestleError } from "../../errors/trestle-error.ts"
import { openApi } from "./openapi.ts"

type AnyOp = Op<any, any, any, any, any>

function shapeOf(schema: Std, direction: "input" | "output"): Shape {
  const shape = compileShape(schema, direction)
  if ("why" in shape) throw new TypeError(shape.why)
  return shape
}

/** What the runtime makes of a declaration, as far as the document asks. */
function operation(path: string, declared: AnyOp): Operation {
  const declaration = declarationOf(declared)
  const contract = declaration.contract as Contract<Std, Std, string, Route | undefined, unknown>
  const [verb, pattern] = (contract.http?.split(" ") ?? []) as [Verb, string]
  const isRead = contract.effect === "read" || verb === "GET"
  const isSilent = contract.output === nothing
  const rules = [contract.allow ?? []].flat()
  return {
    path,
    declaration,
    effect: isRead ? "read" : "write",
    repeat: contract.repeat ?? (verb === "POST" || verb === "PATCH" ? "none" : "natural"),
    deadlineMs: 10_000,
    route: verb ? { verb, pattern, params: [...pattern.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!) } : null,
    input: shapeOf(contract.input, "input"),
    output: shapeOf(contract.output, "output"),
    isSilent,
    status: contract.status ?? (isSilent ? 204 : verb === "POST" ? 201 : 200),
    errors: contract.errors ?? {},
    isPublic: rules.some((rule) => typeof rule === "object" && rule.kind === "anyone"),
    state: declaration.backend?.plan.placeholder || !declaration.backend ? "placeholder" : "wired",
    why: declaration.backend ? null : "not begun",
    contractHash: "",
    retiring: null,
  }
}

const SCHEMES = {
  apiKey: { type: "apiKey", in: "header", name: "X-Api-Key" },
  jwt: { type: "http", scheme: "bearer", bearerFormat: "JWT" },
}

function documentOf(ops: Record<string, AnyOp>, schemes: Record<string, object> = SCHEMES): any {
  const operations = Object.entries(ops).map(([path, declared]) => operation(path, declared))
  return openApi({ name: "bot", version: "1.2.0", operations, schemes, authenticates: Object.keys(schemes).length > 0 })
}

async function validityOf(document: object): Promise<unknown> {
  const result = await new Validator().validate(JSON.parse(JSON.stringify(document)))
  return result.valid ? "valid" : result.errors
}

/** A schema of some other library, by what it prints. */
function printed(json: JsonSchema): Std {
  const standard = {
    version: 1,
    vendor: "other",
    validate: (value: unknown) => ({ value }),
    jsonSchema: { input: () => json, output: () => json },
  }
  return { "~standard": standard } as Std
}

const inAndOut = (schema: Std<any, any>): AnyOp =>
  op({ http: "POST /x", input: schema, output: schema, allow: signedIn(), summary: "Echo" })

interface TreeNode {
  name: string
  kids: TreeNode[]
}
const Tree: z.ZodType<TreeNode> = z.object({
  name: z.string(),
  get kids() {
    return z.array(Tree)
  },
})
const User = z.object({ id: z.string(), plan: z.string().default("free") }).meta({ id: "User" })

describe("shapes of schemas", () => {
  const shapes: Record<string, Std<any, any>> = {
    "flat object": z.object({ a: z.string().min(1), b: z.int().max(9), c: z.boolean(), d: z.null() }),
    formats: z.object({ a: z.email(), b: z.uuid(), c: z.iso.datetime(), d: z.url(), e: z.string().regex(/^a+$/) }),
    "optional, nullable, default": z.object({
      a: z.string().optional(),
      b: z.string().nullable(),
      c: z.number().default(3),
      d: z.string().nullish(),
    }),
    "enum and literal": z.object({ a: z.enum(["x", "y"]), b: z.literal(3), c: z.literal(["a", 1, null]) }),
    union: z.union([z.string(), z.object({ a: z.number() })]),
    "discriminated union": z.discriminatedUnion("kind", [
      z.object({ kind: z.literal("a") }),
      z.object({ kind: z.literal("b"), n: z.int() }),
    ]),
    "recursive root": Tree,
    "recursive part": z.object({ tree: Tree, also: Tree.optional() }),
    named: z.object({ first: User, second: User.nullable() }),
    "named root": User,
    record: z.record(z.string(), z.number()),
    "record of enum": z.object({ r: z.record(z.enum(["a", "b"]), z.number()) }),
    tuple: z.tuple([z.string(), z.number()], z.boolean()),
    array: z
      .array(z.object({ a: z.string() }))
      .min(1)
      .max(5),
    intersection: z.intersection(z.object({ a: z.string() }), z.object({ b: z.string() })),
    "loose and strict": z.object({ a: z.looseObject({}), b: z.strictObject({ c: z.string() }) }),
    anything: z.object({ a: z.any(), b: z.unknown() }),
    "string alone": z.string(),
    arktype: type({ a: "string", "b?": "number | null", c: "'x' | 'y'", d: { e: "string[]" } }),
    "defs in valibot's manner": printed({
      $schema: "x",
      type: "object",
      properties: { n: { $ref: "#/$defs/0" } },
      required: ["n"],
      $defs: { "0": { type: "object", properties: { n: { $ref: "#/$defs/0" } } } },
    }),
    "defs with odd names": printed({ $ref: "#/$defs/a~1b%20c", $defs: { "a/b c": { type: "string" } } }),
    "a pointer that leads into the schema": printed({
      type: "object",
      properties: { a: { type: "string" }, b: { $ref: "#/properties/a" } },
    }),
  }
  test.each(Object.entries(shapes))("%s: POST → a valid document without dangling references", async (_name, schema) => {
    const document = documentOf({ "x.echo": inAndOut(schema) })
    expect(await validityOf(document)).toBe("valid")
    const text = JSON.stringify(document)
    for (const [, name] of text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g))
      expect(document.components.schemas).toHaveProperty([name!])
    expect(text).not.toMatch(/"\$ref":"#(\/\$defs[^"]*)?"|"\$schema"/)
  })

  test.each(Object.entries(shapes))("%s: GET → a valid document", async (_name, schema) => {
    const get = op({ http: "GET /x/{a}", input: schema, output: schema, allow: anyone("test") })
    expect(await validityOf(documentOf({ "x.get": get }))).toBe("valid")
  })

  // Not shown to the validator: it takes such a field for a reference itself.
  test("fields called like keywords → stay fields", () => {
    const properties = { $ref: { type: "string" }, $defs: { type: "null" }, default: { type: "string" } }
    const document = documentOf({ "x.echo": inAndOut(printed({ type: "object", properties, default: { $ref: "#" } })) })
    expect(document.paths["/x"].post.requestBody.content["application/json"].schema).toEqual({
      type: "object",
      properties,
      default: { $ref: "#" },
    })
  })

  test("a recursive schema with no name → named after its operation, root included", () => {
    const document = documentOf({ "x.echo": inAndOut(Tree) })
    expect(document.paths["/x"].post.requestBody.content["application/json"].schema).toEqual({ $ref: "#/components/schemas/x.echo.input" })
    expect(document.components.schemas["x.echo.input"].properties.kids.items).toEqual({ $ref: "#/components/schemas/x.echo.input" })
  })

  test("one name, same content on both sides → shared; different content → two names", () => {
    const Same = z.object({ id: z.string() }).meta({ id: "Same" })
    const Input = z.object({ same: Same, user: User })
    const answer = printed({
      $ref: "#/$defs/Same",
      $defs: { Same: { type: "object", properties: { id: { type: "string" } }, required: ["id"] } },
    })
    const document = documentOf({
      "a.one": op({ http: "POST /a", input: Input, output: z.object({ user: User }), allow: signedIn() }),
      "a.two": op({ http: "PUT /a", input: Input, output: answer, allow: signedIn() }),
    })
    expect(Object.keys(document.components.schemas)).toEqual(["Problem", "Same", "User", "UserOutput"])
    expect(document.components.schemas.UserOutput.required).toEqual(["id", "plan"])
  })

  test("an application's own Problem → another name than ours", () => {
    const Problem = z.object({ x: z.string() }).meta({ id: "Problem" })
    expect(Object.keys(documentOf({ "a.b": inAndOut(z.object({ p: Problem })) }).components.schemas)).toContain("ProblemInput")
  })
})

describe("request", () => {
  test("path and query of a GET → parameters; scalars, arrays, required", () => {
    const input = z.object({
      id: z.string().meta({ description: "Whose" }),
      page: z.int().default(1),
      tag: z.array(z.string()).optional(),
      q: z.string(),
    })
    const get = op({
      http: "GET /u/{id}",
      input,
      output: z.string(),
      allow: signedIn(),
      examples: [{ input: { id: "7", q: "a" }, output: "x" }],
    })
    const { parameters, requestBody } = documentOf({ "u.list": get }).paths["/u/{id}"].get
    expect(requestBody).toBeUndefined()
    expect(parameters.map((one: any) => [one.in, one.name, one.required ?? false, one.schema.type])).toEqual([
      ["path", "id", true, "string"],
      ["query", "page", false, "integer"],
      ["query", "tag", false, "array"],
      ["query", "q", true, "string"],
    ])
    expect(parameters[0]).toMatchObject({ description: "Whose", example: "7" })
    expect(parameters[0].schema).toEqual({ type: "string" })
  })

  test("body of a PUT → the input without the path's fields, in every alternative", async () => {
    const kinds = z.discriminatedUnion("kind", [
      z.object({ id: z.string(), kind: z.literal("a") }),
      z.object({ id: z.string(), kind: z.literal("b"), n: z.int() }),
    ])
    const document = documentOf({ "k.put": op({ http: "PUT /k/{id}", input: kinds, output: nothing, allow: signedIn() }) })
    const { schema } = document.paths["/k/{id}"].put.requestBody.content["application/json"]
    expect(schema.oneOf.map((one: any) => [Object.keys(one.properties), one.required])).toEqual([
      [["kind"], ["kind"]],
      [
        ["kind", "n"],
        ["kind", "n"],
      ],
    ])
    expect(await validityOf(document)).toBe("valid")
  })

  test("a named input whose field the path has taken → written out, the name kept whole for others", () => {
    const document = documentOf({
      "u.put": op({ http: "PUT /u/{id}", input: User, output: z.object({ user: User }), allow: signedIn() }),
    })
    expect(Object.keys(document.paths["/u/{id}"].put.requestBody.content["application/json"].schema.properties)).toEqual(["plan"])
    expect(Object.keys(document.components.schemas.User.properties)).toEqual(["id", "plan"])
  })

  test("nothing left for the body → no body, and no 413 or 415", () => {
    const close = op({ http: "POST /u/{id}/close", input: z.object({ id: z.string() }), output: nothing, allow: signedIn() })
    const item = documentOf({ "u.close": close }).paths["/u/{id}/close"].post
    expect(item.requestBody).toBeUndefined()
    expect(Object.keys(item.responses)).toEqual(["204", "400", "401", "403", "500", "502", "503", "504"])
    expect(item.responses[204].content).toBeUndefined()
  })

  test("every field optional → the body may be left out; an example without a JSON form is left out too", () => {
    const input = z.object({ a: z.string().optional() })
    const examples = [
      { input: { a: 1n as never }, output: "x" },
      { input: { a: "b" }, output: "y" },
    ]
    const { requestBody } = documentOf({ "u.x": op({ http: "POST /u", input, output: z.string(), allow: signedIn(), examples }) }).paths[
      "/u"
    ].post
    expect(requestBody.required).toBeUndefined()
    expect(requestBody.content["application/json"].examples).toEqual({ example1: { value: { a: "b" } } })
  })
})

describe("responses", () => {
  const load = op({ input: z.object({ id: z.string() }), output: z.object({ id: z.string() }), effect: "read" })
  const show = op({
    http: "GET /u/{id}",
    input: z.object({ id: z.string() }),
    output: z.object({ id: z.string() }),
    allow: signedIn(),
    errors: { GONE: 410, MOVED: 410, LOCKED: 403 },
    owner: { load, is: () => true },
  })

  test("codes of one status → one response; declared and common ones together", () => {
    const { responses } = documentOf({ "u.show": show }).paths["/u/{id}"].get
    const codes = (status: number): unknown => responses[status].content["application/problem+json"].schema.allOf[1].properties.code.enum
    expect(Object.keys(responses)).toEqual(["200", "400", "401", "403", "404", "410", "500", "503", "504"])
    expect(codes(410)).toEqual(["GONE", "MOVED"])
    expect(codes(403)).toEqual(["LOCKED", "FORBIDDEN"])
    expect(responses[404]).toEqual({ $ref: "#/components/responses/NotFound" })
  })

  test("a public read → no 403, and 401 only where credentials are looked at; security empty; the others inherit any one scheme", () => {
    const open = op({ http: "GET /open", input: nothing, output: z.string(), allow: anyone("test") })
    const document = documentOf({ open: open, "u.show": show })
    expect(document.paths["/open"].get.security).toEqual([])
    expect(Object.keys(document.paths["/open"].get.responses)).toEqual(["200", "400", "401", "500", "503", "504"])
    expect(Object.keys(documentOf({ open }, {}).paths["/open"].get.responses)).toEqual(["200", "400", "500", "503", "504"])
    expect(document.paths["/u/{id}"].get.security).toBeUndefined()
    expect(document.security).toEqual([{ apiKey: [] }, { jwt: [] }])
  })

  test("every shared response → from the catalogue, and referred to by somebody", () => {
    const document = documentOf({ "u.show": show, "x.echo": inAndOut(z.object({ a: z.string() })) })
    const text = JSON.stringify(document.paths)
    for (const name of Object.keys(document.components.responses)) expect(text).toContain(`#/components/responses/${name}"`)
    expect(document.components.responses.Timeout.description).toContain(CATALOG.TIMEOUT.detail)
  })

  test("the Problem schema → the fields that problemOf gives, all of them", () => {
    const error = new TrestleError("INVALID", "no", { issues: [{ path: "a", message: "b" }], retryAfterMs: 5, work: "1" })
    const { Problem } = documentOf({}).components.schemas
    expect(Object.keys(problemOf(error))).toEqual(Object.keys(Problem.properties))
    expect(Object.keys(problemOf(new TrestleError("INVALID")))).toEqual(Problem.required)
  })
})

describe("document", () => {
  test("operations without a route → not listed; state, why and tags are", () => {
    const document = documentOf({
      "inside.load": op({ input: nothing, output: nothing, effect: "read" }),
      "users.create": op({ http: "POST /users", input: User, output: User, allow: signedIn() }),
    })
    expect(Object.keys(document.paths)).toEqual(["/users"])
    expect(document.tags).toEqual([{ name: "users" }])
    expect(document.paths["/users"].post).toMatchObject({
      operationId: "users.create",
      tags: ["users"],
      "x-trestle": { effect: "write", repeat: "none", state: "placeholder", why: "not begun" },
    })
  })

  test("no operations, no schemes → still valid", async () => {
    expect(await validityOf(documentOf({}, {}))).toBe("valid")
  })

  test("the same declarations twice → the same text", () => {
    const ops = { "x.echo": inAndOut(z.object({ tree: Tree, user: User })), "y.echo": inAndOut(Tree) }
    expect(JSON.stringify(documentOf(ops))).toBe(JSON.stringify(documentOf(ops)))
  })
})

describe("versions", () => {
  const Note = z.object({ id: z.string() })
  const read = { input: z.object({}), output: Note, allow: anyone("a test") }
  test("etag → ETag, If-None-Match and 304 on the read", async () => {
    const document = documentOf({ get: op({ http: "GET /note", ...read, etag: true }).via(value({ id: "1" })) })
    const { parameters, responses } = document.paths["/note"].get
    expect(parameters).toMatchObject([{ name: "If-None-Match", in: "header" }])
    expect(responses[200].headers).toHaveProperty("ETag")
    expect(responses[304].headers).toHaveProperty("ETag")
    expect(responses).not.toHaveProperty("412")
    expect(await validityOf(document)).toBe("valid")
  })
  test("a backend that compares versions → If-Match and 412", async () => {
    const comparing = backend<object, { id: string }>("comparing", { comparesVersion: true, bind: () => () => ({ id: "1" }) })
    const document = documentOf({ put: op({ http: "PUT /note", ...read }).via(comparing) })
    const { parameters, responses } = document.paths["/note"].put
    expect(parameters).toMatchObject([{ name: "If-Match", in: "header" }])
    expect(responses[412]).toEqual({ $ref: "#/components/responses/PreconditionFailed" })
    expect(responses).not.toHaveProperty("304")
    expect(await validityOf(document)).toBe("valid")
  })
  test("neither → nothing of the kind", () => {
    const { parameters, responses } = documentOf({ get: op({ http: "GET /note", ...read }).via(value({ id: "1" })) }).paths["/note"].get
    expect([parameters, responses[304], responses[412], responses[200].headers]).toEqual([undefined, undefined, undefined, undefined])
  })
})

describe("files and streams", () => {
  const upload = op({
    http: "POST /candidates/{id}/recording",
    input: file({ types: ["video/*"], fields: z.object({ id: z.string(), title: z.string() }) }),
    output: z.object({ bytes: z.number() }),
    allow: anyone("public"),
    anyObject: "test",
  })
  const download = op({ http: "GET /report", input: z.object({}), output: file({ types: ["application/pdf"] }), allow: anyone("public") })
  const items = op({ http: "GET /items", input: z.object({}), output: stream(z.object({ id: z.string() })), allow: anyone("public") })

  test("valid OpenAPI 3.1", async () => {
    expect(await validityOf(documentOf({ upload, download, items }))).toBe("valid")
  })
  test("a file as an input: alone with its fields in the query, or in a form after them", () => {
    const { parameters, requestBody } = documentOf({ upload }).paths["/candidates/{id}/recording"].post
    expect(parameters).toEqual([
      { name: "id", in: "path", required: true, schema: { type: "string" } },
      { name: "title", in: "query", schema: { type: "string" } },
    ])
    const bytes = { type: "string", format: "binary" }
    expect(requestBody.content).toMatchObject({
      "video/*": { schema: bytes },
      "multipart/form-data": { schema: { properties: { title: { type: "string" }, file: bytes }, required: ["title", "file"] } },
    })
  })
  test("a file as an output: its types", () => {
    const { content } = documentOf({ download }).paths["/report"].get.responses[200]
    expect(content).toEqual({ "application/pdf": { schema: { type: "string", format: "binary" } } })
  })
  test("a stream: the schema of one item, as lines and as events", () => {
    const { content } = documentOf({ items }).paths["/items"].get.responses[200]
    expect(Object.keys(content)).toEqual(["application/x-ndjson", "text/event-stream"])
    expect(content["application/x-ndjson"].schema).toMatchObject({ type: "object", properties: { id: { type: "string" } } })
  })
})

describe("idempotency keys", () => {
  const Note = z.object({ text: z.string() })
  const create = (repeat: "key" | "none") =>
    op({ http: "POST /notes", input: Note, output: Note, allow: anyone("public"), repeat }).via(value({ text: "" }))

  test("repeat: key → the header, its three refusals, the mark of a replay; a valid document", async () => {
    const document = documentOf({ create: create("key") })
    const { parameters, responses } = document.paths["/notes"].post
    expect(parameters).toEqual([expect.objectContaining({ name: "Idempotency-Key", in: "header" })])
    expect(parameters[0].required).toBeUndefined()
    expect(responses[201].headers["Idempotent-Replayed"]).toBeDefined()
    expect(responses[409].content["application/problem+json"].schema.allOf[1].properties.code.enum).toEqual(["CONFLICT", "KEY_IN_USE"])
    expect(responses[422]).toEqual({ $ref: "#/components/responses/KeyReused" })
    expect(await validityOf(document)).toBe("valid")
  })

  test.each([
    ["24h", undefined],
    ["27h", 10_800_000],
  ])("remembered for %s, where its work may last %s ms more", (kept, expiresMs) => {
    const made = backend<any, any>("flow", { ...(expiresMs ? { expiresMs } : {}), bind: () => () => undefined })
    const declared = op({ http: "POST /all", input: nothing, output: User, allow: signedIn(), repeat: "key" }).via(made)
    const { parameters } = documentOf({ all: declared }).paths["/all"].post
    expect(parameters[0].description).toContain(`the same answer for ${kept}.`)
  })

  test("without it → nothing of all that", () => {
    const { parameters, responses } = documentOf({ create: create("none") }).paths["/notes"].post
    expect(parameters).toBeUndefined()
    expect([responses[201].headers, responses[409], responses[422]]).toEqual([undefined, undefined, undefined])
  })
})

describe("work that goes on", () => {
  const flowing = backend<any, any>("flow", { isDurable: true, bind: () => () => undefined })
  const deferring = backend<any, any>("defer", { isDurable: true, bind: () => () => undefined })
  test("a flow → 202 as a problem, where it is seen, and Prefer", async () => {
    const document = documentOf({ "u.all": op({ http: "POST /all", input: nothing, output: User, allow: signedIn() }).via(flowing) })
    const { parameters, responses } = document.paths["/all"].post
    expect(parameters.map(({ name }: { name: string }) => name)).toEqual(["Prefer"])
    expect(Object.keys(responses[202].headers)).toEqual(["Location", "Preference-Applied"])
    expect(Object.keys(responses[202].content)).toEqual(["application/problem+json"])
    const { responses: told, security, tags } = document.paths["/work/{id}"].get
    expect(Object.keys(told)).toEqual(["200", "204", "401", "404"])
    expect(security).toEqual([{}, { apiKey: [] }, { jwt: [] }])
    expect(document.tags.at(-1)).toEqual({ name: tags[0] })
    expect(await validityOf(document)).toBe("valid")
  })
  test("a deferral → 202 with an answer, provisional, of the declared form", async () => {
    const document = documentOf({ "u.put": op({ http: "PUT /u", input: nothing, output: User, allow: signedIn() }).via(deferring) })
    const { responses } = document.paths["/u"].put
    expect(responses[202].content["application/json"]).toEqual(responses[200].content["application/json"])
    expect(await validityOf(document)).toBe("valid")
  })
  test("a read made of others → none of it", () => {
    const document = documentOf({ "u.get": op({ http: "GET /u", input: z.object({}), output: User, allow: signedIn() }).via(flowing) })
    expect(document.paths["/u"].get.responses[202]).toBeUndefined()
    expect(document.paths["/work/{id}"]).toBeUndefined()
  })
})
