import { describe, expect, test } from "vitest"
import { CHANGE_RULES, type ChangeRule } from "./change-rules.ts"
import { documentChanges } from "./document-changes.ts"

const NOW = Date.parse("2027-02-01T00:00:00Z")

/** A small document as `openApi` makes them, to be edited. */
const base = (): any => ({
  openapi: "3.1.0",
  info: { title: "notes", version: "1.0.0" },
  security: [{ key: [] }],
  paths: {
    "/notes/{id}": {
      get: {
        operationId: "notes.show",
        parameters: [
          { name: "id", in: "path", required: true, schema: { type: "string" } },
          { name: "lang", in: "query", schema: { enum: ["en", "de"], type: "string" } },
        ],
        responses: {
          "200": { description: "", content: { "application/json": { schema: { $ref: "#/components/schemas/Note" } } } },
          "404": problem("NOT_FOUND"),
        },
        "x-trestle": { effect: "read", repeat: "natural" },
      },
    },
    "/notes": {
      post: {
        operationId: "notes.create",
        requestBody: {
          required: true,
          content: {
            "application/json": {
              schema: {
                type: "object",
                properties: {
                  text: { type: "string", maxLength: 100 },
                  size: { type: "number" },
                  kind: { type: "string", enum: ["a", "b"] },
                  mail: { type: "string", format: "email" },
                },
                required: ["text"],
              },
            },
          },
        },
        responses: {
          "201": { description: "", content: { "application/json": { schema: { $ref: "#/components/schemas/Note" } } } },
          "409": problem("FULL"),
        },
        security: [],
        "x-trestle": { effect: "write", repeat: "none" },
      },
    },
  },
  components: {
    schemas: {
      Note: {
        type: "object",
        properties: {
          id: { type: "string" },
          text: { type: "string", maxLength: 100 },
          state: { type: "string", enum: ["new", "done"] },
          at: { type: "string", format: "date-time" },
          lines: { type: "array", items: { type: "object", properties: { n: { type: "integer" } }, required: ["n"] } },
          more: { type: "string" },
        },
        required: ["id", "text", "state", "at", "lines"],
        additionalProperties: false,
      },
    },
  },
})
const problem = (...codes: string[]) => ({
  description: "",
  content: { "application/problem+json": { schema: { allOf: [{}, { type: "object", properties: { code: { enum: codes } } }] } } },
})
const show = (document: any) => document.paths["/notes/{id}"].get
const create = (document: any) => document.paths["/notes"].post
const input = (document: any) => create(document).requestBody.content["application/json"].schema
const note = (document: any) => document.components.schemas.Note

type Edit = (document: any) => void
/** For each rule: what is done to the document, and where it is told. */
const CASES: Record<ChangeRule, [edit: Edit, place: string, before?: string, after?: string][]> = {
  "operation-removed": [[(d) => delete d.paths["/notes"], ""]],
  "operation-renamed": [[(d) => put(create(d), "operationId", "notes.add"), "", "notes.create", "notes.add"]],
  "route-changed": [[(d) => move(d, "/notes", "/v2/notes"), "", "POST /notes", "POST /v2/notes"]],
  "status-changed": [[(d) => rename(create(d).responses, "201", "202"), "output", "201", "202"]],
  "repeat-withdrawn": [
    [(d) => put(show(d)["x-trestle"], "repeat", "none"), "", "natural", "none"],
    [(d) => put(show(d)["x-trestle"], "repeat", "key"), "", "natural", "key"],
  ],
  "became-write": [[(d) => put(show(d)["x-trestle"], "effect", "write"), "", "read", "write"]],
  "auth-tightened": [
    [(d) => delete create(d).security, "credential", "none", "key"],
    [(d) => put(d, "security", [{ jwt: [] }]), "credential", "key", "jwt"],
  ],
  "error-status-changed": [[(d) => rename(create(d).responses, "409", "422"), "FULL", "409", "422"]],
  "input-media-type-removed": [
    [(d) => rename(create(d).requestBody.content, "application/json", "text/csv"), "body", "application/json", "text/csv"],
  ],
  "output-media-type-removed": [
    [(d) => rename(create(d).responses["201"].content, "application/json", "text/csv"), "output", "application/json", "text/csv"],
  ],
  "input-required": [
    [(d) => field(input(d), "by", { type: "string" }, true), "body.by", "absent", "string"],
    [(d) => input(d).required.push("size"), "body.size", "optional", "required"],
    [(d) => put(show(d).parameters[1], "required", true), "query.lang", "optional", "required"],
    [(d) => show(d).parameters.push({ name: "x", in: "query", required: true, schema: {} }), "query.x", "absent", "required"],
  ],
  "input-removed": [
    [(d) => delete input(d).properties.size, "body.size", "number", "absent"],
    [(d) => void show(d).parameters.pop(), "query.lang", "taken", "refused"],
    [(d) => delete create(d).requestBody, "body", "taken", "refused"],
  ],
  "input-moved": [[(d) => put(show(d).parameters[1], "in", "header"), "query.lang", "query.lang", "header.lang"]],
  "input-type": [
    [(d) => put(input(d).properties, "size", { type: "integer" }), "body.size", "number", "integer"],
    [(d) => put(input(d).properties, "size", { type: "string" }), "body.size", "number", "string"],
  ],
  "input-values": [
    [(d) => void input(d).properties.kind.enum.pop(), "body.kind", '"a" | "b"', '"a"'],
    [(d) => put(input(d).properties, "text", { enum: ["x"] }), "body.text", "string", '"x"'],
    [(d) => void show(d).parameters[1].schema.enum.pop(), "query.lang", '"en" | "de"', '"en"'],
  ],
  "input-limit": [
    [(d) => put(input(d).properties.text, "maxLength", 50), "body.text", "maxLength 100", "maxLength 50"],
    [(d) => put(input(d).properties.size, "minimum", 1), "body.size", "any minimum", "minimum 1"],
  ],
  "input-form": [[(d) => put(input(d).properties.text, "pattern", "^a"), "body.text", "any pattern", 'pattern "^a"']],
  "output-removed": [
    [(d) => drop(note(d), "text"), "output.text", "string", "absent"],
    [(d) => drop(note(d), "more"), "output.more", "string", "absent"],
    [(d) => drop(note(d).properties.lines.items, "n"), "output.lines[].n", "integer", "absent"],
  ],
  "output-optional": [[(d) => void note(d).required.shift(), "output.id", "required", "optional"]],
  "output-type": [
    [(d) => put(note(d).properties.lines.items.properties, "n", { type: "number" }), "output.lines[].n", "integer", "number"],
    [
      (d) => put(note(d).properties, "text", { anyOf: [{ type: "string", maxLength: 100 }, { type: "null" }] }),
      "output.text",
      "string",
      "string | null",
    ],
  ],
  "output-values": [
    [(d) => void note(d).properties.state.enum.push("lost"), "output.state", '"new" | "done"', '"new" | "done" | "lost"'],
    [(d) => put(note(d).properties, "state", { type: "string" }), "output.state", '"new" | "done"', "string"],
  ],
  "output-limit": [[(d) => delete note(d).properties.text.maxLength, "output.text", "maxLength 100", "any maxLength"]],
  "output-form": [[(d) => delete note(d).properties.at.format, "output.at", 'format "date-time"', "any format"]],
  "operation-added": [[(d) => put(d.paths, "/more", { get: { operationId: "more", responses: {} } }), "", "", "GET /more"]],
  "operation-ended": [[(d) => delete d.paths["/notes"], ""]],
  "operation-moved": [
    [
      (d) => {
        Object.assign(create(d), { operationId: "notes.add" })
        create(d)["x-trestle"].was = ["notes.create"]
      },
      "",
      "notes.create",
      "notes.add",
    ],
  ],
  "operation-deprecated": [[(d) => put(show(d), "deprecated", true), "", "", "deprecated"]],
  "auth-loosened": [
    [(d) => put(show(d), "security", []), "credential", "key", "none"],
    [(d) => d.security.push({ jwt: [] }), "credential", "key", "key or jwt"],
  ],
  "error-added": [[(d) => put(create(d).responses, "422", problem("ODD")), "ODD", "absent", "422"]],
  "error-removed": [[(d) => delete create(d).responses["409"], "FULL", "409", "absent"]],
  "input-added": [
    [(d) => field(input(d), "by", { type: "string" }), "body.by", "absent", "string"],
    [(d) => show(d).parameters.push({ name: "x", in: "query", schema: {} }), "query.x", "absent", "optional"],
  ],
  "input-widened": [
    [(d) => input(d).properties.kind.enum.push("c"), "body.kind", '"a" | "b"', '"a" | "b" | "c"'],
    [(d) => void input(d).required.pop(), "body.text", "required", "optional"],
    [(d) => delete input(d).properties.text.maxLength, "body.text", "maxLength 100", "any maxLength"],
    [(d) => put(show(d).parameters[1], "schema", { type: "string" }), "query.lang", '"en" | "de"', "string"],
    [(d) => put(create(d).requestBody.content, "text/csv", { schema: {} }), "body", "", "text/csv"],
  ],
  "output-added": [[(d) => field(note(d), "by", { type: "string" }, true), "output.by", "absent", "string"]],
  "output-narrowed": [
    [(d) => note(d).required.push("more"), "output.more", "optional", "required"],
    [(d) => void note(d).properties.state.enum.pop(), "output.state", '"new" | "done"', '"new"'],
  ],
}

function put(record: any, key: string, value: unknown): void {
  record[key] = value
}
function rename(record: any, from: string, to: string): void {
  record[to] = record[from]
  delete record[from]
}
function move(document: any, from: string, to: string): void {
  rename(document.paths, from, to)
}
function field(schema: any, name: string, type: object, isRequired = false): void {
  schema.properties[name] = type
  if (isRequired) schema.required.push(name)
}
function drop(schema: any, name: string): void {
  delete schema.properties[name]
  schema.required = schema.required.filter((one: string) => one !== name)
}

describe.each(Object.entries(CASES))("%s", (rule, cases) => {
  test.each(cases)("%s → told at %j", (edit, place, before, after) => {
    const old = base()
    if (rule === "operation-ended") put(create(old)["x-trestle"], "sunset", "2027-02-01")
    const now = structuredClone(old)
    edit(now)
    const changes = documentChanges(old, now, NOW)
    const found = changes.filter((one) => one.rule === rule)
    const { is, fix } = CHANGE_RULES[rule as ChangeRule]
    expect(found.map((one) => [one.place, one.is, one.fix])).toContainEqual([place, is, fix])
    if (before !== undefined) expect(found).toContainEqual(expect.objectContaining({ place, before, after }))
    // Nothing else breaks, and what is compatible is nothing but that.
    expect(changes.filter((one) => one.is === "breaking" && one.rule !== rule)).toEqual([])
  })
})

describe("no change", () => {
  test("the same document → none", () => expect(documentChanges(base(), base(), NOW)).toEqual([]))
  test("shared schemas under other names → none", () => {
    const now = base()
    rename(now.components.schemas, "Note", "NotesShowOutput")
    const text = JSON.stringify(now).replaceAll("schemas/Note", "schemas/NotesShowOutput")
    expect(documentChanges(base(), JSON.parse(text), NOW)).toEqual([])
  })
  test("texts and examples → none", () => {
    const now = base()
    show(now).summary = "Shows one"
    note(now).description = "A note"
    note(now).properties.id.examples = ["1"]
    expect(documentChanges(base(), now, NOW)).toEqual([])
  })
  test("another name of a path parameter → another input, told as such", () => {
    const now = base()
    now.paths = { "/notes/{key}": now.paths["/notes/{id}"], "/notes": now.paths["/notes"] }
    now.paths["/notes/{key}"].get.parameters[0].name = "key"
    expect(documentChanges(base(), now, NOW).map(({ rule, place }) => `${rule} ${place}`)).toEqual([
      "input-removed path.id",
      "input-required path.key",
    ])
  })
})

describe("what may be repeated under a key", () => {
  const breaking = (before: string, after: string): string[] => {
    const under = (repeat: string) => {
      const document = base()
      create(document)["x-trestle"].repeat = repeat
      if (repeat === "key") create(document).parameters = [{ name: "Idempotency-Key", in: "header", schema: { type: "string" } }]
      return document
    }
    return documentChanges(under(before), under(after), NOW).flatMap(({ is, rule }) => (is === "breaking" ? rule : []))
  }
  test("becomes nothing → withdrawn, and told once", () => expect(breaking("key", "none")).toEqual(["repeat-withdrawn"]))
  test("becomes what may always be repeated → compatible", () => expect(breaking("key", "natural")).toEqual([]))
  test("was nothing → compatible", () => expect(breaking("none", "key")).toEqual([]))
})

describe("an end that was announced", () => {
  const ended = (sunset: string) => {
    const old = base()
    create(old)["x-trestle"].sunset = sunset
    const now = base()
    delete now.paths["/notes"]
    return documentChanges(old, now, NOW).map(({ rule }) => rule)
  }
  test("has come → compatible", () => expect(ended("2027-02-01")).toEqual(["operation-ended"]))
  test("has not come → breaking", () => expect(ended("2027-02-02")).toEqual(["operation-removed"]))
  test("is no date → breaking", () => expect(ended("soon")).toEqual(["operation-removed"]))
})

describe("recursive schemas", () => {
  const tree = (leaf: object) => {
    const document = base()
    document.components.schemas.Note = {
      type: "object",
      properties: {
        leaf,
        left: { anyOf: [{ $ref: "#/components/schemas/Note" }, { type: "null" }] },
        all: { type: "array", items: { $ref: "#/components/schemas/Note" } },
      },
      required: ["leaf"],
    }
    return document
  }
  test("the same → none", () => expect(documentChanges(tree({ type: "string" }), tree({ type: "string" }), NOW)).toEqual([]))
  test("another leaf → told", () => {
    const rules = documentChanges(tree({ type: "string" }), tree({ type: "number" }), NOW).map(({ rule, place }) => `${rule} ${place}`)
    expect(rules).toContain("output-type output.leaf")
  })
})

test.each([
  null,
  7,
  "x",
  [],
  {},
  { paths: 7 },
  { paths: { "/a": { get: { parameters: [null, { name: 7 }], responses: { "200": { $ref: "#/nowhere" } }, security: "x" } } } },
])("an earlier document that is none (%j) → no error", (old) => expect(() => documentChanges(old, base(), NOW)).not.toThrow())

test("an earlier schema that is none → no error", () => {
  const old = base()
  old.components.schemas.Note = { type: 5, properties: [1], required: "x", anyOf: 3, enum: {} } as never
  expect(() => documentChanges(old, base(), NOW)).not.toThrow()
})
