import { fstatSync } from "node:fs"
import { mkdtemp } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { openFiles } from "./files.ts"
import { startWorld, type WorldOptions } from "./world.ts"

async function optionsFrom(env: NodeJS.ProcessEnv): Promise<WorldOptions> {
  const ports = {
    people: portIn(env, "PEOPLE_PORT"),
    replica: portIn(env, "REPLICA_PORT"),
    scoring: portIn(env, "SCORING_PORT"),
    control: portIn(env, "CONTROL_PORT"),
  }
  return {
    ports,
    folder: env.WORLD_DATA || (await mkdtemp(join(tmpdir(), "interview-bot-world-"))),
    peopleToken: env.PEOPLE_TOKEN || "demo-people-token",
    scoringKey: env.SCORING_KEY || "demo-scoring-key",
  }
}

function portIn(env: NodeJS.ProcessEnv, name: string): number {
  const port = Number(env[name] || "0")
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error(`${name} must be a port from 0 to 65535.`)
  return port
}

function stopWithParent(close: () => Promise<unknown>): void {
  const stop = () => {
    process.stdin.destroy()
    void close()
  }
  process.once("SIGTERM", stop)
  process.once("SIGINT", stop)
  if (isPipe(0)) process.stdin.once("close", stop).once("error", stop).resume()
}

/** Node gives a child a socket pair where a shell gives it a FIFO; a terminal or /dev/null is no parent to follow. */
function isPipe(descriptor: number): boolean {
  const stat = fstatSync(descriptor)
  return stat.isFIFO() || stat.isSocket()
}

try {
  const options = await optionsFrom(process.env)
  const token = process.env.FILES_TOKEN || "demo-files-token"
  const world = await startWorld(options)
  const files = await openFiles({ folder: join(options.folder, "files"), token, port: portIn(process.env, "FILES_PORT") })
  stopWithParent(() => Promise.all([world.close(), files.close()]))
  console.log(JSON.stringify({ ...world.urls, files: files.url }))
} catch (error) {
  console.error(`The demo world cannot start: ${(error as Error).message}`)
  process.exitCode = 1
}
