/** Where something was declared in the application's source. */
export interface SourcePlace {
  readonly file: string
  readonly line: number
}

/**
 * The place that called the function which called this one and handed itself in, or `null` where the engine gives no stack.
 * Works in browsers too (a contract may be shared with one); the answer is only ever shown to people.
 */
export function callerPlace(called: Function): SourcePlace | null {
  const holder: { stack?: string } = {}
  const capture = (Error as { captureStackTrace?: (target: object, above: Function) => void }).captureStackTrace
  if (!capture) return null
  const before = (Error as { stackTraceLimit?: number }).stackTraceLimit
  ;(Error as { stackTraceLimit?: number }).stackTraceLimit = 1
  capture(holder, called)
  if (before !== undefined) (Error as { stackTraceLimit?: number }).stackTraceLimit = before
  const match = /\(?((?:file:\/\/|\/|[A-Za-z]:\\|https?:\/\/)[^()]*?):(\d+):\d+\)?\s*$/.exec(holder.stack ?? "")
  return match ? { file: match[1]!, line: Number(match[2]) } : null
}
