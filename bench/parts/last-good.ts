/** The first answers, and is remembered each time. */
import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { code, fallback, lastGood } from "../trestle.ts"
import { measureBackend, row } from "./call-app.ts"

process.env.TRESTLE_DATA = mkdtempSync(join(tmpdir(), "bench-last-good-"))
await measureBackend(
  fallback(
    code(async ({ id }) => row(id)),
    lastGood({ for: "1h" }),
  ),
)
