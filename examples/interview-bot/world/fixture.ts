import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { onTestFinished } from "vitest"
import { startWorld, type World, type WorldOptions } from "./world.ts"

export const ada = { full_nm: "Ada Lovelace", e_mail: "ada@x.io", lvl_cd: "2", active_yn: "Y", reg_dt: "22/11/2026" }

export async function freshFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "world-test-"))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** A world of the running test that never pauses, unless `options.wait` says so. */
export async function freshWorld(options: Partial<WorldOptions> = {}): Promise<World> {
  const world = await startWorld({ folder: await freshFolder(), wait: async () => {}, ...options })
  onTestFinished(() => world.close())
  return world
}

export type Reply = { status: number; body: any; text: string }

export async function get(url: string, token = "demo-people-token"): Promise<Reply> {
  return await read(await fetch(url, { headers: { authorization: `Bearer ${token}` } }))
}

export async function post(url: string, body: unknown, token = "demo-people-token", signal: AbortSignal | null = null): Promise<Reply> {
  const text = typeof body === "string" ? body : JSON.stringify(body)
  return await read(await fetch(url, { method: "POST", headers: { authorization: `Bearer ${token}` }, body: text, signal }))
}

async function read(response: Response): Promise<Reply> {
  const text = await response.text()
  const isJson = response.headers.get("content-type") === "application/json"
  return { status: response.status, body: isJson ? JSON.parse(text) : undefined, text }
}
