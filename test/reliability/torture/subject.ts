// The process that is killed: the application, with a store that dies at the point that the environment names.
import { startApp } from "../../../src/assembly/start.ts"
import { hasStore } from "../../../src/contract/store.ts"
import { CRASH_POINTS, CrashingStore } from "./crashing-store.ts"
import { subjectApp } from "./subject-app.ts"

const { SUBJECT_KIND, SUBJECT_PORT, CRASH_POINT, CRASH_COUNT } = process.env
const point = CRASH_POINTS.find(({ name }) => name === CRASH_POINT)
const app = subjectApp(SUBJECT_KIND as "sqlite" | "postgres")
const running = await startApp(app, {
  // So that what a killed process has left is not waited for half a minute each time.
  durable: { leaseMs: 5_000 },
  openService: async (service, host) => {
    const connection = await service.open(host)
    if (!point || !hasStore(connection)) return connection
    const open = connection.openStore.bind(connection)
    let made: ReturnType<typeof open> | undefined
    connection.openStore = (tables) => (made ??= open(tables).then((store) => new CrashingStore(store, point, Number(CRASH_COUNT))))
    return connection
  },
})
await running.listen({ port: Number(SUBJECT_PORT) })
process.send?.("listening")
process.on("SIGTERM", () => void running.close().then(() => process.exit(0)))

// Whoever started it is gone.
process.on("disconnect", () => process.exit())
