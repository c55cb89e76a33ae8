import { checkApplication } from "./check.ts"
import { type App, DEFINITION, type TrestleOptions } from "./definition.ts"

/**
 * Declares an application. Resolves nothing and never throws: `check()` finds, `start()` resolves and opens.
 * `T` is unconstrained on purpose: a recursive constraint made completions 60 to 100 times slower at 600 operations.
 */
export function trestle<T extends object>(options: TrestleOptions<T>): App<T> {
  const app: App<T> = {
    name: options.name,
    ops: options.ops,
    check: () => checkApplication(options).findings,
    // What a running application needs is loaded when it runs: tools that only look at declarations are quicker for it.
    start: async ({ log } = {}) => (await import("./start.ts")).startApp(app, { hostLog: log }),
  }
  Object.defineProperty(app, DEFINITION, { value: options })
  return app
}
