// What runs in the store's own thread: it may wait there, for the disk and for other processes.
import { existsSync } from "node:fs"
import { parentPort, workerData } from "node:worker_threads"
import { SqliteDatabase } from "./database.ts"
import type { GroupMessage } from "./store-message.ts"
import { GroupRunner, NotConnected } from "./store-runner.ts"
import type { ThreadSettings } from "./store-thread.ts"

const { file, waitMs } = workerData as ThreadSettings
const port = parentPort!

const runner = new GroupRunner(() => {
  // SQLite would make a new, empty one, and nobody would notice.
  if (!existsSync(file)) throw new NotConnected("its file is gone")
  return new SqliteDatabase({ file, readOnly: false, durability: "full", waitMs })
})

port.on("message", (message: GroupMessage | "close") => {
  if (message !== "close") return port.postMessage(runner.run(message))
  try {
    runner.close()
  } finally {
    port.close()
  }
})
