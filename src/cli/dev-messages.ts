import type { Finding } from "../contract/finding.ts"

/** What one version of the application, in a process of its own, tells `trestle dev`. */
export type FromVersion =
  /** Loaded files of the application's own, and its `.env` files. */
  | { readonly kind: "files"; readonly files: readonly string[] }
  /** It does not load or start. */
  | { readonly kind: "refused"; readonly findings: readonly Finding[] }
  | { readonly kind: "ready"; readonly port: number; readonly banner: string; readonly operations: Operations }
  /** Finished lines of the log, JSON. */
  | { readonly kind: "lines"; readonly lines: string }

/** Where each operation is declared: `file:line`. */
export type Operations = Readonly<Record<string, string>>

/** What a version is told. */
export type ToVersion = { readonly kind: "leave" }
