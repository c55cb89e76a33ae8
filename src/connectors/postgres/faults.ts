import type { Fault } from "../../contract/stand-in.ts"

/** What happens on the way to the server. An object: the server takes no connection, and says that code. */
export type LineFault = "down" | "reset" | "slow" | "mute" | "cut" | "cut commit" | "mute commit" | { readonly refuses: string }

/** What happens in the server itself. */
export type ServerFault = "locked" | "locked for a moment" | "restarted" | { readonly raises: string; readonly isOnce?: true }

export interface PostgresFault extends Fault {
  readonly line?: LineFault
  readonly server?: ServerFault
}

/**
 * The ways in which a PostgreSQL server can fail an operation, as its stand-in makes them. A statement that is too slow is one that waits for
 * a lock: tables without rows give no other work.
 */
export const POSTGRES_FAULTS: readonly PostgresFault[] = [
  { name: "refuses connections", line: "down" },
  { name: "has no connection left", line: { refuses: "53300" } },
  { name: "rejects our credential", line: { refuses: "28P01" } },
  { name: "resets the connection", line: "reset" },
  { name: "is slow", line: "slow", isMild: true },
  { name: "hangs", line: "mute" },
  { name: "leaves in mid-answer", line: "cut" },
  { name: "has restarted", server: "restarted", isMild: true },
  { name: "is locked", server: "locked" },
  { name: "is locked for a moment", server: "locked for a moment", isMild: true },
  { name: "ends a deadlock", of: "write", server: { raises: "40P01", isOnce: true }, isMild: true },
  { name: "cannot serialize", of: "write", server: { raises: "40001" } },
  { name: "refuses a duplicate", of: "write", server: { raises: "23505" }, canPass: true },
  { name: "has become read-only", of: "write", server: { raises: "25006" } },
  { name: "loses its commit", of: "write", line: "cut commit", canPass: true },
  { name: "hangs in its commit", of: "write", line: "mute commit" },
]
