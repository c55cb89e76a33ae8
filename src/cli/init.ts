import type { Command } from "commander"
import type { Run } from "./program.ts"

export interface InitFlags {
  readonly dryRun?: boolean
}

export function addInit(program: Command, run: Run): void {
  program
    .command("init")
    .summary("Begin an application in a folder")
    .description("Begin an application: one operation in code, one real service, one placeholder. Never overwrites a file.")
    .argument("[folder]", "where; made if it is not there (default: this folder)")
    .option("--dry-run", "only show what would be written")
    .addHelpText("after", "\nExamples:\n  trestle init\n  trestle init notes\n  trestle init --dry-run\n")
    .action((folder: string | undefined, flags: InitFlags) =>
      run("init", async () => (await import("./init-folder.ts")).initFolder(folder ?? ".", flags)),
    )
}
