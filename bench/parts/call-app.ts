/** One operation over a backend, called in process, observation on. */
import { z } from "zod"
import { type Backend, op, trestle } from "../trestle.ts"
import { measure, right } from "./measure.ts"

export const Input = z.object({ id: z.string() })
export const Output = z.object({ id: z.string(), text: z.string(), points: z.number() })
type Row = z.infer<typeof Output>

export async function measureBackend(backend: Backend<z.infer<typeof Input>, Row>, batch = 1_000): Promise<void> {
  const get = op({ effect: "read", input: Input, output: Output }).via(backend)
  const running = await trestle({ name: "bench-parts", ops: { get } }).start()
  const caller = running.internal()
  // Few keys, so that what is kept is hit.
  await measure(async (n) => right((await caller.get({ id: String(n % 16) })).points === 7), batch)
}

export const row = (id: string): Row => ({ id, text: "What is a closure?", points: 7 })
