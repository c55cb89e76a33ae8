// The attacked application as a process of its own, so that its memory and its end can be seen. Says its port on stdout; ends on SIGTERM.
import { openWorld } from "./world.ts"

const world = await openWorld({ bodyLimit: process.argv[2] ?? "256kb" })
const unhandled = (error: unknown): void => {
  process.stdout.write(`${JSON.stringify({ unhandled: String(error) })}\n`)
}
process.on("unhandledRejection", unhandled).on("uncaughtException", unhandled)
process.once("SIGTERM", () => {
  world.close().then(() => {
    process.stdout.write(`${JSON.stringify({ closed: true, stuck: /"stuck":\[[^\]]*\]/.exec(world.log())?.[0] ?? null })}\n`, () =>
      process.exit(0),
    )
  })
})
process.stdout.write(`${JSON.stringify({ port: world.port, key: world.key })}\n`)
