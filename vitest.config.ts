import { defineConfig } from "vitest/config"

export default defineConfig({
  resolve: { conditions: ["trestle-source"] },
  ssr: { resolve: { conditions: ["trestle-source", "node", "module"] } },
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts", "examples/**/*.test.ts"],
    pool: "forks",
    testTimeout: 30_000,
    hookTimeout: 120_000,
  },
})
