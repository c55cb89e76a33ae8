import type { Command } from "commander"
import type { Run } from "./program.ts"

export interface CreateFlags {
  readonly name: string
  readonly role: readonly string[]
  readonly permission: readonly string[]
  readonly expires: string
  readonly principal?: string
}

export interface RevokeFlags {
  readonly yes?: boolean
  readonly dryRun?: boolean
}

const collect = (one: string, before: readonly string[]): readonly string[] => [...before, one]

export function addKeys(program: Command, run: Run): void {
  const keys = program
    .command("keys")
    .summary("Make, list and revoke API keys")
    .description("Make, list and revoke the API keys of this folder (TRESTLE_DATA, else .trestle).")
    .addHelpText(
      "after",
      "\nExamples:\n  trestle keys create --name ci --role writer --expires 30d\n  trestle keys list\n  trestle keys revoke ci --yes\n",
    )
  keys
    .command("create")
    .description("Make a key. Its text goes to stdout, once; only a hash is kept.")
    .requiredOption("--name <name>", "what the key is for: ci, ada's laptop")
    .option("--role <role>", "a role of the key; repeat it for more", collect, [])
    .option("--permission <permission>", "a permission of the key; repeat it for more", collect, [])
    .option("--expires <duration>", "30d, 12h, or never", "90d")
    .option("--principal <id>", "who the key stands for (default: itself, key:<name>)")
    .action((flags: CreateFlags) => run("keys", async () => (await import("./keys-change.ts")).createKey(flags)))
  keys
    .command("list")
    .description("List the keys, revoked and expired ones too; never their text.")
    .action(() => run("keys", async () => (await import("./keys-list.ts")).listKeys()))
  keys
    .command("revoke")
    .description("Revoke a key for good; running servers refuse it within a second.")
    .argument("<key>", "its id, or a name for every key of that name")
    .option("--yes", "do it")
    .option("--dry-run", "only show what would be revoked")
    .action((key: string, flags: RevokeFlags) => run("keys", async () => (await import("./keys-change.ts")).revokeKey(key, flags)))
}
