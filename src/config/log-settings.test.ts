import { tmpdir } from "node:os"
import { expect, test } from "vitest"
import { loadEnvironment } from "./environment.ts"
import { LOG_FILE_DEFAULTS, logFileSettings } from "./log-settings.ts"

const settings = (process: Record<string, string>) => logFileSettings(loadEnvironment({ folder: tmpdir(), environment: "test", process }))

test("no file: nothing, whatever the limits say", () => {
  expect(settings({ TRESTLE_LOG_ROTATE: "x" })).toEqual({ file: null, findings: [] })
})

test.each([
  [{}, LOG_FILE_DEFAULTS],
  [{ TRESTLE_LOG_ROTATE: "10mb" }, { bytesMax: 10_485_760, everyMs: 86_400_000 }],
  [{ TRESTLE_LOG_ROTATE: "1h" }, { bytesMax: 104_857_600, everyMs: 3_600_000 }],
  [{ TRESTLE_LOG_ROTATE: "10mb, 1h" }, { bytesMax: 10_485_760, everyMs: 3_600_000 }],
  [{ TRESTLE_LOG_KEEP: "30" }, { keepFiles: 30, keepBytes: 1_073_741_824 }],
  [{ TRESTLE_LOG_KEEP: "30,5gb" }, { keepFiles: 30, keepBytes: 5_368_709_120 }],
])("%j → %j", (variables, expected) => {
  expect(settings({ TRESTLE_LOG_FILE: "app.log", ...variables })).toMatchObject({ file: { path: "app.log", ...expected }, findings: [] })
})

test.each([
  ["TRESTLE_LOG_ROTATE", "daily"],
  ["TRESTLE_LOG_ROTATE", "10kb"],
  ["TRESTLE_LOG_ROTATE", "1s"],
  ["TRESTLE_LOG_KEEP", "0"],
  ["TRESTLE_LOG_KEEP", "all"],
])("%s=%s: TRS3019 with the fix", (name, value) => {
  const { findings } = settings({ TRESTLE_LOG_FILE: "app.log", [name]: value })
  expect(findings).toMatchObject([
    { code: "TRS3019", message: `${name} (from the shell) has "${value}"`, fix: expect.stringContaining(`${name}=`) },
  ])
})
