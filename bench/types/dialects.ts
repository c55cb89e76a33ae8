/** How each library writes an operation, an app and a typed client. */
export interface OperationText {
  group: string
  name: string
  input: string
  output: string
  /** An expression over `i`, the input. */
  handler: string
}

export interface Dialect {
  name: string
  reference?: true
  /** First lines of a file of operations. */
  head: string
  operation(o: OperationText): string
  /** Last lines of a file of operations. */
  tail(names: string[]): string
  app(groups: string[]): string
  client(app: string): string
  call(path: string, input: string): string
}

const noTail = () => ""
const imports = (groups: string[]) => groups.map((group) => `import * as ${group} from "./${group}.ts"`).join("\n")

const trestle: Dialect = {
  name: "trestle",
  head: 'import { z } from "zod"\nimport { code, op, role } from "trestle"',
  operation: (o) =>
    `export const ${o.name} = op({ http: "POST /${o.group}/${o.name}", input: ${o.input}, output: ${o.output}, allow: role("clerk") }).via(code(async (i) => ${o.handler}))`,
  tail: noTail,
  app: (groups) =>
    `import { trestle } from "trestle"\n${imports(groups)}\nexport const app = trestle({ name: "many", ops: { ${groups.join(", ")} } })\nexport type App = typeof app\n`,
  client: (app) =>
    `import { createClient } from "trestle/client"\nimport type { App } from "${app}"\nexport const client = createClient<App>({ url: "/api" })\n`,
  call: (path, input) => `${path}(${input})`,
}

const orpc: Dialect = {
  name: "oRPC",
  reference: true,
  head: 'import { z } from "zod"\nimport { os } from "@orpc/server"',
  operation: (o) => `export const ${o.name} = os.input(${o.input}).output(${o.output}).handler(async ({ input: i }) => ${o.handler})`,
  tail: noTail,
  app: (groups) => `${imports(groups)}\nexport const router = { ${groups.join(", ")} }\n`,
  client: (app) =>
    `import { createORPCClient } from "@orpc/client"\nimport { RPCLink } from "@orpc/client/fetch"\nimport type { RouterClient } from "@orpc/server"\nimport type { router } from "${app}"\nexport const client: RouterClient<typeof router> = createORPCClient(new RPCLink({ url: "http://x/api" }))\n`,
  call: (path, input) => `${path}(${input})`,
}

const trpc: Dialect = {
  name: "tRPC",
  head: 'import { z } from "zod"\nimport { initTRPC } from "@trpc/server"\nconst t = initTRPC.create()',
  operation: (o) => `const ${o.name} = t.procedure.input(${o.input}).output(${o.output}).mutation(async ({ input: i }) => ${o.handler})`,
  tail: (names) => `export const router = t.router({ ${names.join(", ")} })\n`,
  app: (groups) => {
    const routers = groups.map((group) => `import { router as ${group} } from "./${group}.ts"`).join("\n")
    return `import { initTRPC } from "@trpc/server"\n${routers}\nexport const router = initTRPC.create().router({ ${groups.join(", ")} })\nexport type App = typeof router\n`
  },
  client: (app) =>
    `import { createTRPCClient, httpLink } from "@trpc/client"\nimport type { App } from "${app}"\nexport const client = createTRPCClient<App>({ links: [httpLink({ url: "http://x/api" })] })\n`,
  call: (path, input) => `${path}.mutate(${input})`,
}

export const dialects: Dialect[] = [orpc, trpc, trestle]
