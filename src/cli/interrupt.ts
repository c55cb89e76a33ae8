import { EXIT } from "./exit.ts"

let graceful: ((signal: "SIGINT" | "SIGTERM") => void) | null = null
let hasBegun = false
const handlers = new Map<"SIGINT" | "SIGTERM", () => void>()

/**
 * From now on the first SIGINT or SIGTERM goes to `handler`, which is to bring the work to an orderly end; a second one ends the
 * process at once.
 */
export function endGracefully(handler: (signal: "SIGINT" | "SIGTERM") => void): void {
  graceful = handler
}

/**
 * While the application's own code is imported, a signal ends the process by itself: a handler would never run in an endless loop of its.
 * What has its own way to end, has it on.
 */
export async function endingAtOnce<T>(work: () => Promise<T>): Promise<T> {
  if (graceful) return work()
  // A signal that has come already is heard first; without its handler it would be lost.
  await new Promise((resolve) => setImmediate(resolve))
  for (const [signal, heard] of handlers) process.off(signal, heard)
  try {
    return await work()
  } finally {
    for (const [signal, heard] of handlers) process.on(signal, heard)
  }
}

/** Verbs with nothing to bring to an end stop at once: 130 after an interrupt, 143 (128 and the signal's number) after SIGTERM. */
export function installSignals(): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    const heard = (): void => {
      if (!graceful || hasBegun) process.exit(signal === "SIGINT" ? EXIT.interrupted : 143)
      hasBegun = true
      graceful(signal)
    }
    handlers.set(signal, heard)
    process.on(signal, heard)
  }
}
