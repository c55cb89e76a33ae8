import { EXIT } from "./exit.ts"

let graceful: ((signal: "SIGINT" | "SIGTERM") => void) | null = null
let hasBegun = false

/**
 * From now on the first SIGINT or SIGTERM goes to `handler`, which is to bring the work to an orderly end; a second one ends the
 * process at once.
 */
export function endGracefully(handler: (signal: "SIGINT" | "SIGTERM") => void): void {
  graceful = handler
}

/** Verbs with nothing to bring to an end stop at once: 130 after an interrupt, 143 (128 and the signal's number) after SIGTERM. */
export function installSignals(): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (!graceful || hasBegun) process.exit(signal === "SIGINT" ? EXIT.interrupted : 143)
      hasBegun = true
      graceful(signal)
    })
  }
}
