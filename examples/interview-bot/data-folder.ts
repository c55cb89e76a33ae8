// Where a run keeps what is its own. `npm start` and `npm run trestle` find the same folder by the same variables.
import { join, resolve } from "node:path"

const USUAL_PORT = 4000

type Variables = Readonly<Record<string, string | undefined>>

export function portOf({ PORT }: Variables): number {
  return Number(PORT || USUAL_PORT)
}

/** Two bots in one folder would overwrite each other's people, so each port has its own. */
export function dataFolder(variables: Variables): string {
  const port = portOf(variables)
  return resolve(variables.TRESTLE_DATA || join(import.meta.dirname, ".trestle", port === USUAL_PORT ? "" : `port-${port}`))
}

/** What the verbs of `npm run trestle` read, so that they look at the bot that runs. */
export function variablesFile(variables: Variables): string {
  return join(dataFolder(variables), "demo.env")
}

/** What looks at this run, and at no other. */
export function commandFor(variables: Variables): string {
  const port = portOf(variables)
  const which = variables.TRESTLE_DATA ? `TRESTLE_DATA='${dataFolder(variables)}' ` : port === USUAL_PORT ? "" : `PORT=${port} `
  return `${which}npm run trestle --`
}
