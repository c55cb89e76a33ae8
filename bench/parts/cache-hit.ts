import { cache, code } from "../trestle.ts"
import { measureBackend, row } from "./call-app.ts"

await measureBackend(
  cache(
    { for: "1h" },
    code(async ({ id }) => row(id)),
  ),
)
