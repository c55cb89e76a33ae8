import type { Command } from "commander"
import type { Run } from "./program.ts"
import { APP_FLAG } from "./status.ts"

export interface JobsFlags {
  readonly operation?: readonly string[]
  readonly state?: string
  readonly all?: boolean
  readonly limit?: string
  readonly yes?: boolean
  readonly dryRun?: boolean
  readonly app?: string
}

const collect = (one: string, before: readonly string[] = []): readonly string[] => [...before, one]
const OPERATION_FLAG = ["--operation <target>", 'a path, a group, or a glob such as "mails.*"; repeat it for more', collect] as const
const STATE_FLAG = ["--state <state>", "waiting, running, parked, dead or done"] as const

export function addJobs(program: Command, run: Run): void {
  const jobs = program
    .command("jobs")
    .summary("Look at work that outlives its call, and decide what becomes of it")
    .description(
      "Look at work that is kept in the store: messages, deferred writes, flows, scheduled runs. Works while the application runs.",
    )
    .addHelpText(
      "after",
      "\nExamples:\n  trestle jobs list --state dead\n  trestle jobs show 5f0c/mails.welcome\n  trestle jobs retry --all --operation 'mails.*'\n  trestle jobs drop 5f0c/mails.welcome --yes\n",
    )
  jobs
    .command("list")
    .description("List what is kept, in the order in which it was put.")
    .option(...OPERATION_FLAG)
    .option(...STATE_FLAG)
    .option("--limit <count>", "at most so many", "100")
    .option(...APP_FLAG)
    .action((flags: JobsFlags) => run("jobs", async () => (await import("./jobs-list.ts")).listJobs(flags)))
  jobs
    .command("show")
    .description("Show one with its history. What it was given is not shown: it may be secret.")
    .argument("<id>")
    .option(...APP_FLAG)
    .action((id: string, flags: JobsFlags) => run("jobs", async () => (await import("./jobs-list.ts")).showJob(id, flags)))
  jobs
    .command("retry")
    .description("Run again, at once and as if for the first time. --all means all that are dead; say --state parked for those.")
    .argument("[ids...]")
    .option("--all", "every one that is dead, or of the state and operation that are named")
    .option(...OPERATION_FLAG)
    .option(...STATE_FLAG)
    .option("--dry-run", "only show what would be run again")
    .option(...APP_FLAG)
    .action((ids: string[], flags: JobsFlags) => run("jobs", async () => (await import("./jobs-change.ts")).retryJobs(ids, flags)))
  jobs
    .command("drop")
    .description("Remove for good. --all means all that are dead; say --state for others.")
    .argument("[ids...]")
    .option("--all", "every one that is dead, or of the state and operation that are named")
    .option(...OPERATION_FLAG)
    .option(...STATE_FLAG)
    .option("--yes", "do it")
    .option("--dry-run", "only show what would be removed")
    .option(...APP_FLAG)
    .action((ids: string[], flags: JobsFlags) => run("jobs", async () => (await import("./jobs-change.ts")).dropJobs(ids, flags)))
}
