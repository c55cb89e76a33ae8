import type { Fault } from "../../contract/stand-in.ts"

/**
 * The ways in which a SQLite file can fail an operation, as its stand-in makes them. Readers never wait for a writer. A slow statement is
 * none of them: it runs in the thread of all calls and cannot be stopped, so no policy bounds it, no deadline of the operation either. Its
 * answer comes late, once: nothing is asked again, and no fallback has a turn that could be proved.
 */
export const SQLITE_FAULTS = [
  { name: "is locked", of: "write" },
  { name: "is locked for a moment", of: "write", isMild: true },
  { name: "has lost its file" },
  { name: "refuses a duplicate", of: "write", canPass: true },
] as const satisfies readonly Fault[]

export type FaultName = (typeof SQLITE_FAULTS)[number]["name"]
