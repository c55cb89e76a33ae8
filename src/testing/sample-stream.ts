import type { Operation } from "../contract/operation.ts"
import type { JsonSchema } from "../contract/schema.ts"
import { sampleFromSchema } from "./sample-from-schema.ts"

/** A small file of a type that is taken. */
export interface SampleFile {
  readonly content: Uint8Array<ArrayBuffer>
  readonly name: string
  readonly type: string
}

export function sampleFile(types: readonly string[] = []): SampleFile {
  const type = (types[0] ?? "application/octet-stream").replace("/*", "/x-sample")
  return { content: new TextEncoder().encode("a sample"), name: "sample.bin", type }
}

/** The input's fields without its file. */
export function fieldsOfUpload({ properties, required, ...rest }: JsonSchema): JsonSchema {
  const { file: _file, ...fields } = properties ?? {}
  return { ...rest, properties: fields, required: (required ?? []).filter((name) => name !== "file") }
}

/** An answer that is sent piece by piece; `undefined` where the output is none. */
export function sampleStream({ output }: Operation): unknown {
  if (output.file) return sampleFile(output.file.types)
  return output.items ? [sampleFromSchema(output.items.json, { isSmall: false })] : undefined
}
