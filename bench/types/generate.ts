/** Writes the same 600 operations for each library: 20 files of 30, a router, a typed client that calls one of each file. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import type { Dialect } from "./dialects.ts"

const FILES = 20
const PER_FILE = 30

export interface Generated {
  folder: string
  /** The project with the operations; the consumer's sees only their declarations. */
  serverProject: string
  consumerProject: string
  clientFile: string
  operationsFile: string
  declarations: string
}

export function generate(folder: string, dialect: Dialect, paths: Record<string, string[]>): Generated {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(`${folder}/server`, { recursive: true })
  mkdirSync(`${folder}/consumer`)
  const groups = Array.from({ length: FILES }, (_, n) => `group${n}`)
  for (const group of groups) writeFileSync(`${folder}/server/${group}.ts`, operationsText(dialect, group))
  writeFileSync(`${folder}/server/app.ts`, dialect.app(groups))
  writeFileSync(`${folder}/server/client.ts`, dialect.client("./app.ts") + callsText(dialect, groups))
  writeFileSync(`${folder}/consumer/client.ts`, dialect.client("../declarations/app.js") + callsText(dialect, groups))
  writeProject(`${folder}/server`, paths, { declaration: true })
  writeProject(`${folder}/consumer`, paths, {})
  return {
    folder,
    serverProject: `${folder}/server/tsconfig.json`,
    consumerProject: `${folder}/consumer/tsconfig.json`,
    clientFile: `${folder}/server/client.ts`,
    operationsFile: `${folder}/server/group3.ts`,
    declarations: `${folder}/declarations`,
  }
}

function operationsText(dialect: Dialect, group: string): string {
  const operations = Array.from({ length: PER_FILE }, (_, n) =>
    dialect.operation({ group, name: `op${n}`, input: inputText(n), output: OUTPUT, handler: HANDLER }),
  )
  return `${dialect.head}\n${operations.join("\n")}\n${dialect.tail(Array.from({ length: PER_FILE }, (_, n) => `op${n}`))}`
}

// no two inputs are equal, so that no compiler answers 599 of them from a cache
function inputText(n: number): string {
  return `z.object({ id: z.string().min(1), name: z.string(), quantity: z.number().int(), kind: z.enum(["plain", "gift", "kind${n}"]), note${n}: z.string().optional(), place: z.object({ city: z.string(), country: z.string().length(2) }) })`
}

const OUTPUT =
  'z.object({ id: z.string(), total: z.number(), state: z.enum(["open", "closed"]), lines: z.array(z.object({ sku: z.string(), quantity: z.number() })) })'
const HANDLER = '({ id: i.id, total: i.quantity * 12, state: "open" as const, lines: [{ sku: i.name, quantity: i.quantity }] })'

function callsText(dialect: Dialect, groups: string[]): string {
  const input = '{ id: "1", name: "Ada", quantity: 2, kind: "gift", place: { city: "Leeds", country: "GB" } }'
  const calls = groups.map((group, n) => `export const total${n}: number = (await ${dialect.call(`client.${group}.op${n}`, input)}).total`)
  return `${calls.join("\n")}\n`
}

function writeProject(folder: string, paths: Record<string, string[]>, more: Record<string, unknown>): void {
  const compilerOptions = {
    target: "es2023",
    lib: ["es2024", "dom", "dom.iterable"],
    module: "nodenext",
    strict: true,
    skipLibCheck: true,
    types: [],
    allowImportingTsExtensions: true,
    rewriteRelativeImportExtensions: true,
    paths,
    ...more,
  }
  writeFileSync(`${folder}/tsconfig.json`, JSON.stringify({ compilerOptions, include: ["*.ts"] }, null, 2))
}
