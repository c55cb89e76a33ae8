import type { Operation } from "../../contract/operation.ts"
import { type JsonSchema, nothing } from "../../contract/schema.ts"
import { SchemaLibrary } from "../openapi/schemas.ts"
import { TypeNames } from "./type-names.ts"
import { docText, keyText, type TypeTextParts, typeText } from "./type-text.ts"

const LOCAL = "#/components/schemas/"

/**
 * The types of every operation that can be called from outside, as one file of declarations that needs nothing but `trestle/client`:
 * `createClient<Api>({ url })`. For front ends that do not have the application's sources.
 *
 * Made from the JSON Schemas, so it says what travels: a date that the server's schema decodes is the text it is sent as. The same
 * declarations give the same text. Internal operations are not in it.
 */
export function clientDeclarations(name: string, operations: readonly Operation[]): string {
  const reachable = operations.filter(({ route }) => route !== null)
  const made = new Declarations()
  const tree = treeText(reachable, (operation) => made.exposed(operation))
  const types = made.texts()
  const imports = ["Exposed", "FileBody", "FileSource"].filter((one) => new RegExp(`\\b${one}\\b`).test(`${tree}${types.join("")}`))
  return [
    `// Made by \`trestle client\` from ${inOneLine(name)}. Run it again instead of editing this file.\n`,
    imports.length > 0 ? `import type { ${imports.join(", ")} } from "trestle/client"\n` : "",
    `\n/** The operations of ${docName(name)}, for \`createClient<Api>({ url })\`. */\nexport interface Api {\n  readonly ops: ${tree}\n}\n`,
    ...types.map((text) => `\n${text}`),
    imports.length > 0 ? "" : "\nexport {}\n",
  ].join("")
}

function docName(name: string): string {
  return inOneLine(name).replaceAll("*/", "*\\/")
}

/** Everything that ends a line, and with it a comment. Source: ECMA-262, section 12.3. */
function inOneLine(text: string): string {
  return text.replace(/[\r\n\u2028\u2029]+/g, " ")
}

/** Collects the named types of one file. */
class Declarations {
  readonly #library = new SchemaLibrary()
  readonly #names = new TypeNames()
  readonly #own: string[] = []

  /** What stands in the tree for an operation. */
  exposed(operation: Operation): string {
    const { path, errors } = operation
    const codes = Object.keys(errors).map((code) => JSON.stringify(code))
    const types = [this.#input(path, operation), this.#output(path, operation), ...(codes.length > 0 ? [codes.join(" | ")] : [])]
    return `Exposed<${types.join(", ")}>`
  }

  /** Inputs and outputs in the order of the operations, then what they share, by name. */
  texts(): readonly string[] {
    const shared = Object.entries(this.#library.entries()).map(([component, schema]) => {
      // What is shared may be read in both directions; "absent or undefined" fits both.
      return this.#declaration(this.#names.of(LOCAL + component), schema, "input")
    })
    return [...this.#own, ...shared]
  }

  #input(path: string, { declaration, input }: Operation): string {
    if (declaration.contract.input === nothing) return "void"
    return this.#named(`${path}.input`, input.json, "input", (text) => (input.file ? withFile(text) : text))
  }

  #output(path: string, { isSilent, output }: Operation): string {
    if (isSilent) return "void"
    if (output.file) return "FileBody"
    if (output.items) return `AsyncIterable<${this.#named(`${path}.item`, output.items.json, "output")}>`
    return this.#named(`${path}.output`, output.json, "output")
  }

  #named(wished: string, json: JsonSchema, side: "input" | "output", change = (text: string): string => text): string {
    const lifted = this.#library.lift(json, json, { hint: wished, side: side === "input" ? "Input" : "Output" })
    const name = this.#names.of(wished)
    this.#own.push(change(this.#declaration(name, lifted, side)))
    return name
  }

  #declaration(name: string, schema: JsonSchema, side: "input" | "output"): string {
    const parts: TypeTextParts = { side, nameOf: (reference) => this.#referred(reference) }
    const text = typeText(schema, parts)
    const doc = docText(typeof schema.description === "string" ? [schema.description] : [], "")
    return text.startsWith("{") && isOneObject(text) ? `${doc}export interface ${name} ${text}\n` : `${doc}export type ${name} = ${text}\n`
  }

  #referred(reference: string): string {
    return reference.startsWith(LOCAL) ? this.#names.of(reference) : "unknown"
  }
}

/** Nothing but one object, which an interface can be: the first bracket at the margin is the last. */
function isOneObject(text: string): boolean {
  return text.indexOf("\n}") === text.length - 2
}

/** In JSON Schema a file is a text in binary form; in a program it is something with bytes. */
function withFile(text: string): string {
  return text.replace(/^( {2}file): string$/m, "$1: FileSource")
}

type Tree = { [name: string]: Tree | Operation }

/** Without a prototype: a group may be called `toString`. */
function emptyTree(): Tree {
  return Object.create(null) as Tree
}

/** Operations in the groups that their paths name, in the order of their declaration. */
function treeText(operations: readonly Operation[], textOf: (operation: Operation) => string): string {
  const root = emptyTree()
  for (const operation of operations) {
    const keys = operation.path.split(".")
    let group = root
    for (const key of keys.slice(0, -1)) {
      group[key] ??= emptyTree()
      group = group[key] as Tree
    }
    group[keys.at(-1)!] = operation
  }
  return groupText(root, textOf, "  ")
}

function groupText(group: Tree, textOf: (operation: Operation) => string, indent: string): string {
  const inner = `${indent}  `
  const lines = Object.entries(group).map(([name, member]) => {
    if (!isOperation(member)) return `${inner}readonly ${keyText(name)}: ${groupText(member, textOf, inner)}`
    return `${docText(docOf(member), inner)}${inner}readonly ${keyText(name)}: ${textOf(member)}`
  })
  return lines.length === 0 ? "Record<string, never>" : `{\n${lines.join("\n")}\n${indent}}`
}

function isOperation(member: Tree | Operation): member is Operation {
  return typeof (member as Operation).path === "string" && "declaration" in member
}

function docOf({ declaration, route, retiring }: Operation): readonly string[] {
  const { summary } = declaration.contract
  const address = `${route!.verb} ${route!.pattern}`
  return [
    summary === undefined ? `\`${address}\`` : `${summary} (\`${address}\`)`,
    ...(retiring ? [`@deprecated ${retiring.sentence.replace("Deprecated: e", "E")}`] : []),
  ]
}
