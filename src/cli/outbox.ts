import type { Command } from "commander"
import type { Run } from "./program.ts"
import { APP_FLAG } from "./status.ts"

export interface OutboxFlags {
  readonly service?: string
  readonly limit?: string
  readonly yes?: boolean
  readonly dryRun?: boolean
  readonly app?: string
}

const SERVICE_FLAG = ["--service <name>", "only that service's"] as const

export function addOutbox(program: Command, run: Run): void {
  const outbox = program
    .command("outbox")
    .summary("Look at messages that wait in the databases of services")
    .description(
      "Look at messages that were committed with a change and have not reached their consumers yet. They are delivered by themselves while the application runs; what was given up on afterwards is a job: see trestle jobs.",
    )
    .addHelpText("after", "\nExamples:\n  trestle outbox list\n  trestle outbox drop 5f0c --yes\n")
  outbox
    .command("list")
    .description("List what waits, in the order in which it was committed.")
    .option(...SERVICE_FLAG)
    .option("--limit <count>", "at most so many of each service", "100")
    .option(...APP_FLAG)
    .action((flags: OutboxFlags) => run("outbox", async () => (await import("./outbox-list.ts")).listOutbox(flags)))
  outbox
    .command("show")
    .description("Show one message. What it says is not shown: it may be secret.")
    .argument("<id>")
    .option(...SERVICE_FLAG)
    .option(...APP_FLAG)
    .action((id: string, flags: OutboxFlags) => run("outbox", async () => (await import("./outbox-list.ts")).showOutbox(id, flags)))
  outbox
    .command("drop")
    .description("Remove messages for good: no consumer will ever get them.")
    .argument("<ids...>")
    .option(...SERVICE_FLAG)
    .option("--yes", "do it")
    .option("--dry-run", "only show what would be removed")
    .option(...APP_FLAG)
    .action((ids: string[], flags: OutboxFlags) => run("outbox", async () => (await import("./outbox-list.ts")).dropOutbox(ids, flags)))
}
