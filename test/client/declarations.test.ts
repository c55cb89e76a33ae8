import { execFile } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { promisify } from "node:util"
import { anyone, code, file, nothing, op, stream, trestle } from "trestle"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { z } from "zod"
import { describe as describeApp } from "../../src/assembly/describe.ts"
import { clientDeclarations } from "../../src/server/declarations/client-declarations.ts"
import { APP, folder as cliFolder, ROOT, serve } from "../cli/kit.ts"

const run = promisify(execFile)
const COMPILERS = { "TypeScript 7": "typescript", "TypeScript 5.9": "typescript-5.9" } as const

const Tree: z.ZodType = z.object({
  name: z.string(),
  get children(): z.ZodType {
    return z.array(Tree)
  },
})
const Money = z.object({ amount: z.number(), currency: z.enum(["EUR", "GBP"]) }).meta({ id: "money" })
const Input = z.object({
  text: z.string().describe("What to say */ and what not"),
  limit: z.number().int().default(50),
  note: z.string().nullish(),
  kind: z.enum(["a", "b"]),
  price: Money,
  pair: z.tuple([z.string(), z.number()]),
  any: z.unknown(),
  "odd-name": z.boolean().optional(),
})
const Output = z.object({
  tree: Tree,
  prices: z.array(Money),
  byName: z.record(z.string(), z.number()),
  shape: z.discriminatedUnion("is", [
    z.object({ is: z.literal("circle"), r: z.number() }),
    z.object({ is: z.literal("square"), a: z.number() }),
  ]),
  both: z.intersection(z.object({ a: z.string() }), z.object({ b: z.number() })),
  at: z.iso.datetime(),
  maybe: z.string().optional(),
})
const open = { allow: anyone("test") }
const odd = op({ http: "GET /odd", input: nothing, output: z.string(), ...open }).via(code(() => ""))
const odd2 = op({ http: "GET /odd2", input: nothing, output: z.string(), ...open }).via(code(() => ""))
const app = trestle({
  name: "shapes",
  ops: {
    all: op({ http: "POST /all", input: Input, output: Output, errors: { FULL: 409, GONE: 410 }, summary: "Every shape", ...open }).via(
      code(() => ({}) as never),
    ),
    items: {
      list: op({ http: "GET /items", input: z.object({ page: z.number().optional() }), output: stream(Money), ...open }).via(
        code(() => []),
      ),
      clear: op({ http: "DELETE /items", input: nothing, output: nothing, deprecated: { sunset: "2999-01-31", use: "all" }, ...open }).via(
        code(() => undefined),
      ),
      tree: op({ http: "POST /tree", input: Tree, output: Tree, ...open }).via(code((i) => i as never)),
    },
    photo: op({ http: "GET /photo", input: z.object({}), output: file(), ...open }).via(code(() => new Uint8Array())),
    send: op({ http: "POST /photo", input: file(), output: nothing, ...open }).via(code(() => undefined)),
    inside: op({ effect: "read", input: z.object({ secretField: z.string() }), output: nothing }).via(code(() => undefined)),
  },
})

const CONSUMER = `import { createClient, ClientError } from "trestle/client"
import type { Api, AllInput, Money } from "./api"

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const holds = <_T extends true>(): void => {}
const api = createClient<Api>({ url: "/api", token: () => "t" })
const price: Money = { amount: 1, currency: "EUR" }
const input: AllInput = { text: "x", note: null, kind: "a", price, pair: ["a", 1], any: 7 }
const made = await api.all(input, { deadline: "2s" })
holds<Same<typeof made.prices, Money[]>>()
holds<Same<typeof made.shape, { is: "circle"; r: number } | { is: "square"; a: number }>>()
const leaf: string = made.tree.children[0]!.children[0]!.name
const sum: number = made.byName["x"]! + made.both.b
const text: string = made.both.a + made.at + leaf + sum
const maybe: string | undefined = made.maybe
const safe = await api.all.safe(input)
if (!safe.ok) {
  if (safe.code === "FULL" || safe.code === "GONE" || safe.code === "UNAVAILABLE") safe.issues.map(({ path }) => path)
  // @ts-expect-error a code that is not declared
  if (safe.code === "NOPE") text.at(0)
} else holds<Same<typeof safe.value, typeof made>>()
const { value, meta } = await api.items.tree.detailed({ name: "a", children: [] })
export const said: string = value.name + meta.trace + maybe
holds<Same<Awaited<ReturnType<typeof api.items.clear>>, void>>()
await api.items.clear()
for await (const one of await api.items.list({})) holds<Same<typeof one, Money>>()
await api.send({ file: new Blob(["x"]) })
export const size: number | null = (await api.photo({})).size
// @ts-expect-error an internal operation is not there
api.inside
// @ts-expect-error a field that nobody declared
await api.items.list({ pgae: 1 })
// @ts-expect-error a value that is not taken
await api.all({ ...input, kind: "c" })
// @ts-expect-error a field is missing
await api.all({ text: "x" })
export const wrong: boolean = new Error() instanceof ClientError
`

let base: string
/** A front end's project: the declarations of trestle/client as they are published, and nothing of the application. */
function project(name: string, files: Readonly<Record<string, string>>): string {
  const path = join(base, name)
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, file)), { recursive: true })
    writeFileSync(join(path, file), text)
  }
  const compilerOptions = {
    target: "es2023",
    lib: ["es2023", "dom", "dom.iterable", "dom.asynciterable"],
    module: "esnext",
    moduleResolution: "bundler",
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    types: [],
    noEmit: true,
  }
  writeFileSync(join(path, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }))
  return path
}

async function compiled(folder: string, compiler: string, flags: readonly string[] = []): Promise<string> {
  const bin = join(ROOT, "node_modules", compiler, "bin", "tsc")
  const { stdout } = await run(process.execPath, [bin, "--project", folder, ...flags], { cwd: folder }).catch((error) => error)
  return stdout
}

beforeAll(async () => {
  base = realpathSync(mkdtempSync(join(tmpdir(), "trestle-front-")))
  const door = join(base, "node_modules", "trestle")
  mkdirSync(door, { recursive: true })
  const emit = {
    extends: join(ROOT, "tsconfig.build.json"),
    compilerOptions: {
      outDir: join(door, "dist"),
      rootDir: join(ROOT, "src"),
      emitDeclarationOnly: true,
      declarationMap: false,
      sourceMap: false,
      typeRoots: [join(ROOT, "node_modules/@types")],
    },
    files: [join(ROOT, "src/client/index.ts")],
    include: [],
  }
  writeFileSync(join(base, "tsconfig.json"), JSON.stringify(emit))
  await compiled(base, "typescript")
  for (const name of readdirSync(join(door, "dist"), { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".d.ts")) continue
    const path = join(door, "dist", name)
    writeFileSync(path, readFileSync(path, "utf8").replace(/((?:from|import\()\s*"\.{1,2}\/[^"]*)\.ts"/g, '$1.js"'))
  }
  const exports = { "./client": { types: "./dist/client/index.d.ts", default: "./client.js" } }
  writeFileSync(join(door, "package.json"), JSON.stringify({ name: "trestle", type: "module", exports }))
}, 60_000)
afterAll(() => rmSync(base, { recursive: true, force: true }))

const declarationsOf = (of: Parameters<typeof describeApp>[0]): string => {
  const { name, operations } = describeApp(of)
  return clientDeclarations(name, operations)
}

describe("declarations for a front end", () => {
  const text = declarationsOf(app)

  test("the same every time; nothing internal; one import", () => {
    expect(declarationsOf(app)).toBe(text)
    expect(text).not.toContain("secretField")
    expect(text.match(/^import .*$/gm)).toEqual(['import type { Exposed, FileBody, FileSource } from "trestle/client"'])
    expect(text).toContain("   * @deprecated Ends on 2999-01-31. Use all.")
    expect(text).toContain("/** What to say *\\/ and what not */")
  })

  test.each(Object.entries(COMPILERS))(
    "every shape: compiles under %s, and means what it says",
    async (_, compiler) => {
      const path = project(`shapes-${compiler}`, { "api.d.ts": text, "consumer.ts": CONSUMER })
      expect(await compiled(path, compiler)).toBe("")
    },
    30_000,
  )

  test.each(Object.entries(COMPILERS))(
    "the interview bot: compiles under %s",
    async (_, compiler) => {
      const { app: bot } = await import("../../examples/interview-bot/app.ts")
      const use =
        'import { createClient } from "trestle/client"\nimport type { Api } from "./api"\nexport const seen: string = (await createClient<Api>({ url: "" }).candidates.show({ id: "1" })).email\n'
      const path = project(`bot-${compiler}`, { "api.d.ts": declarationsOf(bot), "consumer.ts": use })
      expect(await compiled(path, compiler)).toBe("")
    },
    30_000,
  )

  test("names that end a comment, and groups called like what every object has: compile, and harm nothing", async () => {
    const { operations } = describeApp(trestle({ name: "x", ops: { toString: { valueOf: odd }, hasOwnProperty: { a: odd2 } } }))
    const text = clientDeclarations("shapes*/\u2028evil()\u2029\revil() //", operations)
    expect(text).toContain("readonly toString: {")
    expect(Object.hasOwn(Object.prototype.toString, "valueOf")).toBe(false)
    for (const line of text.split(/[\r\n\u2028\u2029]/)) expect(line.trim()).not.toMatch(/^evil/)
  })
  test("an application without any operation for callers: compiles", async () => {
    const path = project("none", { "api.d.ts": declarationsOf(trestle({ name: "none", ops: {} })) })
    expect(await compiled(path, "typescript")).toBe("")
  })

  test("600 operations: at most 5,000 instantiations beyond the compiler's own libraries", async () => {
    const group = (n: number) =>
      Object.fromEntries(
        Array.from({ length: 30 }, (_, i) => {
          const input = z.object({
            id: z.string(),
            [`note${i}`]: z.string().optional(),
            kind: z.enum(["plain", `kind${i}`]),
            place: z.object({ city: z.string() }),
          })
          const output = z.object({ id: z.string(), total: z.number(), lines: z.array(z.object({ sku: z.string() })) })
          const contract = { http: `POST /g${n}/o${i}` as const, input, output, anyObject: "test", ...open }
          return [`op${i}`, op(contract).via(code(() => ({ id: "", total: 1, lines: [] })))]
        }),
      )
    const large = trestle({ name: "large", ops: Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`group${n}`, group(n)])) })
    const calls = Array.from(
      { length: 20 },
      (_, n) => `export const t${n}: number = (await api.group${n}.op${n}({ id: "", kind: "plain", place: { city: "" } })).total`,
    )
    const consumer = `import { createClient } from "trestle/client"\nimport type { Api } from "./api"\nconst api = createClient<Api>({ url: "" })\n${calls.join("\n")}\n`
    const path = project("large", { "api.d.ts": declarationsOf(large), "consumer.ts": consumer })
    const said = await compiled(path, "typescript-5.9", ["--extendedDiagnostics", "--skipLibCheck"])
    expect(said).not.toContain("error TS")
    const count = Number(/Instantiations:\s+(\d+)/.exec(said)?.[1])
    expect(count).toBeGreaterThan(0)
    expect(count).toBeLessThanOrEqual(5_000)
  }, 30_000)
})

test("a program with emitted declarations calls a running server", async () => {
  const cwd = cliFolder({ "app.ts": APP })
  const { url } = await serve(cwd)
  const program = `import { createClient } from "trestle/client"
import type { Api } from "./api.d.ts"
const api = createClient<Api>({ url: ${JSON.stringify(url)} })
const notes = await api.notes.list({})
const made = await api.notes.create.safe({ text: "hi" })
console.log(JSON.stringify([notes, made.ok ? "" : made.code, (await api.notes.summary({})).text]))
`
  writeFileSync(join(cwd, "program.ts"), program)
  const { stdout } = await run(process.execPath, ["--conditions=trestle-source", join(cwd, "program.ts")], { cwd })
  expect(JSON.parse(stdout)).toEqual([[], "UNAUTHENTICATED", "nothing yet"])
})
