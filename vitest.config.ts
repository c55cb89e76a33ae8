import { join } from "node:path"
import { defineConfig } from "vitest/config"

export default defineConfig({
  resolve: { conditions: ["trestle-source"] },
  ssr: { resolve: { conditions: ["trestle-source", "node", "module"] } },
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts", "examples/**/*.test.ts"],
    pool: "forks",
    // For the processes that tests start: hundreds load the same sources. It is known by their content, so no test can tell.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, "node_modules/.cache/compiled") },
    testTimeout: 30_000,
    hookTimeout: 120_000,
  },
})
