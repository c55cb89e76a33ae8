import { fstatSync } from "node:fs"
import { mkdtemp } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { startWorld, type World, type WorldOptions } from "./world.ts"

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

function stopWithParent(world: World): void {
  const stop = () => {
    process.stdin.destroy()
    void world.close()
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
  const world = await startWorld(await optionsFrom(process.env))
  stopWithParent(world)
  console.log(JSON.stringify(world.urls))
} catch (error) {
  console.error(`The demo world cannot start: ${(error as Error).message}`)
  process.exitCode = 1
}
