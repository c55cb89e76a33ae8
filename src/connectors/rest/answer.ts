import type { FileBody } from "../../contract/file-body.ts"
import type { Std } from "../../contract/schema.ts"

/** What a call's answer is, where it is no JSON that is read as a whole. `W` is what `map` gets. */
export interface AnswerForm<W> {
  readonly kind: "text" | "file" | "items"
  /** `Accept` of the request. */
  readonly accept: string
  readonly items?: ItemsOptions<any, any>
  /** Carries the type only; never set. */
  readonly "~answer"?: W
}

/** Where the items are in an answer, and what each is. */
export interface ItemsOptions<T, U> {
  /** Their shape of one item. */
  response?: Std<any, T>
  /** Their item as ours. Default: as it is. */
  map?: (item: T) => U
  /** Field of the answer that holds the list; without it the answer itself is the list. */
  at?: string
}

/** The body as one text. */
export const asText: AnswerForm<string> = { kind: "text", accept: "text/*, */*;q=0.8" }

/** The body as a file, handed on while it comes: for `output: file()`. */
export const asFile: AnswerForm<FileBody> = { kind: "file", accept: "*/*" }

/**
 * A long list, read item by item while it comes, in constant memory: for `output: stream(Item)`. Takes lines of JSON
 * (`application/x-ndjson`) and one JSON array. An item has 1 MiB at most.
 */
export function asItems<T = any, U = T>(options: ItemsOptions<T, U> = {}): AnswerForm<AsyncIterable<U>> {
  return { kind: "items", accept: "application/x-ndjson, application/json;q=0.9", items: options }
}
