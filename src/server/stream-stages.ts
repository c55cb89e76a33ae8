import { attachment } from "../base/content-disposition.ts"
import { failure } from "../contract/failure.ts"
import type { Body } from "../contract/file-body.ts"
import type { Operation } from "../contract/operation.ts"
import type { ChunkedAnswer, Sending } from "../contract/ports.ts"
import { problemOf } from "../errors/problem.ts"
import { TrestleError } from "../errors/trestle-error.ts"
import type { Call } from "../runtime/call.ts"
import { EachItem } from "../runtime/each-item.ts"
import type { Stage } from "../runtime/stages.ts"
import { headFields, type MaySeeMeta } from "./respond.ts"

export const LINES_MEDIA_TYPE = "application/x-ndjson"
export const EVENTS_MEDIA_TYPE = "text/event-stream"

type Form = Pick<ChunkedAnswer, "headers" | "failed"> & { readonly pieces: AsyncIterator<Uint8Array | string> }

/** Sends a file or a stream; the call lasts until its last byte. Nothing is sent before there is something to send, or the end. */
export function encodeStream(operation: Operation, maySeeMeta: MaySeeMeta): Stage {
  const formOf = operation.output.file ? fileForm : itemsForm
  return async (call) => {
    const entry = call.entry!
    const { pieces, headers, failed } = formOf(call)
    const first = await pieces.next()
    if (call.stopped) return void pieces.return?.()
    call.httpStatus = entry.kind === "rpc" ? 200 : operation.status
    const sending = entry.sendChunks({
      status: call.httpStatus,
      headers: { ...headFields(call, maySeeMeta), ...headers },
      chunks: preceded(first, pieces),
      ...(failed ? { failed } : {}),
    })
    call.goOn()
    await untilOver(call, sending)
  }
}

async function untilOver(call: Call, sending: Sending): Promise<void> {
  call.attach(sending)
  try {
    await sending.over
  } catch (error) {
    const isGone = TrestleError.is(error) && error.code === "CANCELLED" && error.reason === undefined
    throw isGone ? failure("cancelled-sent", call.effect, { note: "the client closed the connection within the answer" }) : error
  } finally {
    call.detach(sending)
    call.bytes = sending.bytes
  }
}

function preceded<T>(first: IteratorResult<T>, rest: AsyncIterator<T>): AsyncIterator<T> {
  let isFirst = true
  return {
    next: () => {
      if (!isFirst) return rest.next()
      isFirst = false
      return Promise.resolve(first)
    },
    return: () => rest.return?.() ?? Promise.resolve({ done: true, value: undefined }),
  }
}

/** To be saved and never to be run, whatever its sender says it is. Source: RFC 6266; Content Security Policy Level 3, `sandbox`. */
function fileForm({ output }: Call): Form {
  const file = output as Body
  return {
    headers: {
      "content-type": file.type,
      "content-disposition": attachment(file.name),
      "content-security-policy": "sandbox",
      ...(file.size === null ? {} : { "content-length": String(file.size) }),
    },
    pieces: file.size === null ? file.stream() : ofSize(file.stream(), file.size),
  }
}

/** The piece with which it would be whole waits until nothing follows: a file that is longer would pass for its first part. */
async function* ofSize(chunks: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array, void, undefined> {
  let bytes = 0
  let last: Uint8Array | null = null
  for await (const chunk of chunks) {
    bytes += chunk.length
    if (bytes < size) yield chunk
    else if (bytes === size && last === null) last = chunk
    else break
  }
  if (bytes !== size) throw new TrestleError("INTERNAL", undefined, { note: `a file of ${size} bytes came with ${bytes}` })
  if (last !== null) yield last
}

function itemsForm(call: Call): Form {
  const items = call.output as AsyncIterable<unknown>
  if (!call.entry!.head.headers.accept?.includes(EVENTS_MEDIA_TYPE)) {
    return { headers: { "content-type": LINES_MEDIA_TYPE }, pieces: written(items, (item) => `${item}\n`) }
  }
  return {
    // A proxy that collects an answer would make a lump of a stream.
    headers: { "content-type": EVENTS_MEDIA_TYPE, "x-accel-buffering": "no" },
    pieces: written(items, (item) => `data: ${item}\n\n`),
    failed: (error) => {
      if (error.trace === "") error.trace = call.trace
      return `event: error\ndata: ${JSON.stringify(problemOf(error))}\n\n`
    },
  }
}

/** What JSON has no value for is `null`, as it is in a list. */
function written(items: AsyncIterable<unknown>, write: (json: string) => string): AsyncIterator<string> {
  return new EachItem(items, (item) => write(JSON.stringify(item) ?? "null"))
}
