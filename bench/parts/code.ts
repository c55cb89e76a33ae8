/** The reference of the combinators: the same call with nothing round it. */
import { code } from "../trestle.ts"
import { measureBackend, row } from "./call-app.ts"

await measureBackend(code(async ({ id }) => row(id)))
