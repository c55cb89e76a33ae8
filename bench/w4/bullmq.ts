/** BullMQ on Redis: jobs are removed when they are done, as Trestle's are. */
import { Queue, Worker } from "bullmq"
import { CONCURRENCY, consumed, measure } from "./measure.ts"

const connection = { host: "127.0.0.1", port: Number(process.env.REDIS_PORT), maxRetriesPerRequest: null }
const queue = new Queue("bench", { connection, defaultJobOptions: { removeOnComplete: true, removeOnFail: true } })
const worker = new Worker("bench", async () => consumed(), { connection, concurrency: CONCURRENCY })
await worker.waitUntilReady()

await measure({
  put: (payloads) =>
    payloads.length === 1 ? queue.add("ask", payloads[0]) : queue.addBulk(payloads.map((data) => ({ name: "ask", data }))),
  left: () => queue.getJobCountByTypes("waiting", "active", "delayed", "failed", "prioritized"),
})
