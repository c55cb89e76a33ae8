import { expect, test } from "vitest"
import { Turns } from "./turns.ts"

/** Work that says when it begins, and ends when it is told to. */
function works() {
  const log: string[] = []
  const ends = new Map<string, () => void>()
  const work = (name: string) => () => {
    log.push(name)
    return new Promise<string>((resolve) => ends.set(name, () => resolve(name)))
  }
  const end = async (name: string): Promise<void> => {
    ends.get(name)!()
    for (let i = 0; i < 5; i++) await null
  }
  return { log, work, end }
}

test("more than fit at once → the rest in their order", async () => {
  const { log, work, end } = works()
  const turns = new Turns(2)
  for (const name of ["a", "b", "c", "d"]) void turns.run(work(name))
  expect(log).toEqual(["a", "b"])
  await end("b")
  expect(log).toEqual(["a", "b", "c"])
  await end("a")
  expect(log).toEqual(["a", "b", "c", "d"])
})

test("alone → after all others, one at a time, and what comes meanwhile waits", async () => {
  const { log, work, end } = works()
  const turns = new Turns(2)
  void turns.run(work("a"))
  void turns.alone(work("x"))
  void turns.alone(work("y"))
  void turns.run(work("b"))
  await end("a")
  expect(log).toEqual(["a", "b"])
  await end("b")
  expect(log).toEqual(["a", "b", "x"])
  void turns.run(work("c"))
  expect(log).toEqual(["a", "b", "x"])
  await end("x")
  expect(log).toEqual(["a", "b", "x", "c"])
  await end("c")
  expect(log).toEqual(["a", "b", "x", "c", "y"])
})

test("work that fails → its place is free again", async () => {
  const turns = new Turns(1)
  await expect(turns.run(() => Promise.reject(new TypeError("no")))).rejects.toThrow("no")
  expect(await turns.alone(async () => "next")).toBe("next")
  expect(await turns.run(async () => "last")).toBe("last")
})
