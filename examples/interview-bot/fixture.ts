// What the tests of the bot share.
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll } from "vitest"

/** A folder that is removed when the tests of the file are over. */
export async function freshFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "interview-bot-test-"))
  folders.push(folder)
  return folder
}

const folders: string[] = []
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true, maxRetries: 5 }))))

export interface Reply {
  readonly status: number
  readonly type: string | null
  readonly headers: Headers
  readonly text: string
  readonly body: any
}

export async function read(response: Response): Promise<Reply> {
  const text = await response.text()
  const type = response.headers.get("content-type")
  return { status: response.status, type, headers: response.headers, text, body: /json/.test(type ?? "") ? JSON.parse(text) : undefined }
}
