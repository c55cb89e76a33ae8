#!/usr/bin/env node
// The command line's entry. Plain old JavaScript that parses on Node 12 and newer, so that an old Node reads one clear sentence
// instead of a syntax error; everything else is in src/cli.
var FLOOR = [22, 19]

function isOld(version) {
  var parts = version.split(".").map(Number)
  return parts[0] < FLOOR[0] || (parts[0] === FLOOR[0] && parts[1] < FLOOR[1])
}

/** The published package runs its compiled code; a checkout of the repository runs the TypeScript sources. */
function entry() {
  // With --conditions=trestle-source the package's own name leads to its sources.
  var own = import.meta.resolve("trestle")
  if (/\.ts$/.test(own)) return Promise.resolve(new URL("./cli/main.ts", own).href)
  var compiled = new URL("./cli/main.js", own)
  return Promise.all([import("node:fs"), import("node:module")]).then((modules) => {
    if (modules[0].existsSync(compiled)) return compiled.href
    // A checkout that was never built: the application's own `import "trestle"` must find the sources too.
    modules[1].registerHooks({
      resolve: (specifier, context, next) =>
        next(specifier, Object.assign({}, context, { conditions: context.conditions.concat("trestle-source") })),
    })
    return new URL("../src/cli/main.ts", import.meta.url).href
  })
}

/**
 * What V8 makes of the code is kept beside the package: the next start takes two thirds of the time, from sources a third. Whoever may
 * write there may change the code itself. Where nobody may, or with NODE_DISABLE_COMPILE_CACHE, nothing is kept and nothing is said.
 */
function keepCompiled() {
  return Promise.all([import("node:module"), import("node:url")]).then((modules) => {
    modules[0].enableCompileCache(modules[1].fileURLToPath(new URL("../node_modules/.cache/compiled", import.meta.url)))
  })
}

if (isOld(process.versions.node)) {
  console.error(
    "trestle needs Node " +
      FLOOR.join(".") +
      " or newer and this is " +
      process.version +
      ": run `npm i -D node@24`, then start it through an npm script or npx.",
  )
  process.exitCode = 3
} else {
  keepCompiled()
    .then(entry)
    .then((main) => import(main))
    .then((cli) => cli.main(process.argv.slice(2)))
    .catch((error) => {
      console.error("trestle itself does not load, please report it with these lines:")
      console.error(error)
      process.exitCode = 70
    })
}
