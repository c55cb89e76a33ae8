import { bodyOf } from "../contract/file-body.ts"
import type { Operation } from "../contract/operation.ts"
import { broken } from "./case-subject.ts"

/** A success that holds those very bytes, or those very items, with nothing that is not declared. */
export async function expectStreamed(response: Response, { status, output }: Operation, answer: unknown): Promise<void> {
  const bytes = new Uint8Array(await response.arrayBuffer())
  if (response.status !== status) broken(`expected ${status}, got ${response.status}: ${new TextDecoder().decode(bytes).slice(0, 500)}`)
  const wanted = output.file ? await bodyOf(answer)!.bytes() : await linesOf(answer as AsyncIterable<unknown>, output)
  if (Buffer.compare(bytes, wanted) !== 0) broken(`the answer has other bytes than the backend gave: ${bytes.length}, not ${wanted.length}`)
  const disposition = response.headers.get("content-disposition") ?? ""
  if (output.file && !disposition.startsWith("attachment")) broken("a file must be sent as an attachment")
}

async function linesOf(items: AsyncIterable<unknown>, { items: shape }: Operation["output"]): Promise<Uint8Array> {
  const lines: string[] = []
  for await (const item of items) {
    const checked = await shape!.check(item)
    lines.push(`${JSON.stringify("value" in checked ? checked.value : item)}\n`)
  }
  return Buffer.from(lines.join(""))
}
