import type { Command } from "commander"
import type { Run } from "./program.ts"
import { APP_FLAG } from "./status.ts"

export interface DbFlags {
  readonly service?: string
  readonly dryRun?: boolean
  readonly app?: string
}

const SERVICE_FLAG = ["--service <name>", "only this one (default: every service with migrations)"] as const

export function addDb(program: Command, run: Run): void {
  const db = program
    .command("db")
    .summary("Look at the migrations of databases, and apply them")
    .description("Look at the migrations of the application's databases, and apply them.")
    .addHelpText("after", "\nExamples:\n  trestle db status\n  trestle db migrate --dry-run\n  trestle db migrate --service notes\n")
  db.command("status")
    .description("List migrations: applied, pending, and those that do not fit. Changes nothing. Exits 1 unless all are applied.")
    .option(...SERVICE_FLAG)
    .option(...APP_FLAG)
    .action((flags: DbFlags) => run("db", async () => (await import("./db-migrations.ts")).listMigrations(flags)))
  db.command("migrate")
    .description("Apply what is pending, each in a transaction of its own. Another process that does the same is waited for.")
    .option("--dry-run", "only show what would be applied")
    .option(...SERVICE_FLAG)
    .option(...APP_FLAG)
    .action((flags: DbFlags) => run("db", async () => (await import("./db-migrations.ts")).applyMigrations(flags)))
}
