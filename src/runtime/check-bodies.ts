import type { Backend } from "../contract/backend.ts"
import type { FileSchema } from "../contract/file.ts"
import type { Finding } from "../contract/finding.ts"
import type { Operation } from "../contract/operation.ts"
import { typesOf } from "../contract/schema.ts"
import { finding } from "./findings.ts"

/** Files and streams: whether they can be carried where they are declared, and whether the backends give what the output says. */
export function checkBodies(operation: Operation, backends: readonly Backend<any, any, any>[], findings: Finding[]): void {
  for (const { message, fix } of mistakesOf(operation)) findings.push(complaint("TRS1030", operation, message, fix))
  for (const { kind, plan } of backends) {
    if (plan.gives !== undefined && plan.gives !== kindOf(operation.output)) {
      const { gives } = plan
      const fix = gives === "file" ? "output: file()," : "output: stream(Item),   or   map: (items) => ...   to make another answer of them"
      findings.push(
        complaint(
          "TRS1031",
          operation,
          `${kind} gives ${gives === "file" ? "a file" : "items one by one"}, and the output is another`,
          fix,
        ),
      )
    }
    if (operation.input.file && plan.fallsBack) {
      const message = "the second backend can have the file only while the first has read nothing of it"
      findings.push(complaint("TRS1032", operation, message, "Remove the fallback, or keep it for a service that is not there at all."))
    }
  }
}

function complaint(code: "TRS1030" | "TRS1031" | "TRS1032", { path, declaration }: Operation, message: string, fix: string): Finding {
  return finding(code, declaration.at, `${path}: ${message}`, fix)
}

function kindOf({ file, items }: Operation["output"]): "file" | "items" | undefined {
  return file ? "file" : items ? "items" : undefined
}

type Mistake = { readonly message: string; readonly fix: string }

function mistakesOf({ input, declaration, route }: Operation): Mistake[] {
  const { contract } = declaration
  const fix = 'file({ limit: "1gb", types: ["video/*"], fields: z.object({ id: z.string() }) })'
  const declared = [contract.input, contract.output].flatMap((schema) => (schema as Partial<FileSchema<unknown>>)["~file"]?.mistakes ?? [])
  const mistakes: Mistake[] = declared.map((message) => ({ message, fix }))
  if (input.items)
    mistakes.push({
      message: "stream() is for outputs",
      fix: "input: file(), and read its lines; or input: z.object({ items: z.array(Item) }),",
    })
  if (!input.file) return mistakes
  if (route && (route.verb === "GET" || route.verb === "DELETE"))
    mistakes.push({ message: `${route.verb} carries no file`, fix: `http: "POST ${route.pattern}",` })
  const deep = Object.entries(input.json.properties ?? {}).filter(([, field]) => typesOf(field).includes("object"))
  for (const [name] of deep) mistakes.push({ message: `the field ${name} holds objects, which do not travel beside a file`, fix })
  return mistakes
}
