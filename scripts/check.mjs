// Everything that CI does, in the order of what fails fastest. Each step is an npm script, so it can be run alone.
import { spawnSync } from "node:child_process"

const steps = ["lint", "typecheck", "typecheck:5.9", "proof", "test:all", "test:nodes"]
const npmCli = process.env.npm_execpath
for (const step of steps) {
  console.error(`\n> ${step}`)
  const { status } = npmCli
    ? spawnSync(process.execPath, [npmCli, "run", "--silent", step], { stdio: "inherit" })
    : spawnSync("npm", ["run", "--silent", step], { stdio: "inherit" })
  if (status !== 0) {
    console.error(`\n${step} failed. Run it alone: npm run ${step}`)
    process.exit(1)
  }
}
