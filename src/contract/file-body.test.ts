import { describe, expect, test } from "vitest"
import { Body, bodyOf, isOfType, safeName } from "./file-body.ts"

async function* pieces(...sizes: number[]): AsyncGenerator<Uint8Array> {
  for (const size of sizes) yield new Uint8Array(size)
}

describe("safeName", () => {
  test.each([
    ["a path", "../../etc/passwd", "passwd"],
    ["a path of Windows", "C:\\temp\\a.txt", "a.txt"],
    ["an end of line", "a\r\nset-cookie: x", "aset-cookie x"],
    ["a terminal's command", "a\u001b[2Jb", "a[2Jb"],
    ["letters that turn the direction", "exe.\u202egpj", "exe.gpj"],
    ["nothing but dots", "..", null],
    ["nothing", "", null],
    ["half of a character", "a\ud800", "a\ufffd"],
    ["a long one", "x".repeat(300), "x".repeat(200)],
  ])("%s", (_, given, name) => expect(safeName(given)).toBe(name))
})

describe("isOfType", () => {
  test.each([
    ["video/webm; codecs=vp9", ["video/*"], true],
    ["VIDEO/WEBM", ["video/webm"], true],
    ["videos/webm", ["video/*"], false],
    ["application/pdf", [], true],
    ["application/pdfx", ["application/pdf"], false],
  ] as const)("%s among %j → %s", (type, declared, is) => expect(isOfType(type, declared)).toBe(is))
})

describe("a body", () => {
  test("of bytes or a Blob → read as often as one likes", async () => {
    for (const given of [new Uint8Array(3), new Blob([new Uint8Array(3)])]) {
      const body = bodyOf(given)!
      for (let i = 0; i < 2; i++) expect((await body.bytes()).length).toBe(3)
    }
  })
  test("of a stream → spent with its first piece, not before", async () => {
    const body = bodyOf(pieces(1, 2))!
    const stream = body.stream()
    expect(body.isSpent).toBe(false)
    await stream.next()
    expect(body.isSpent).toBe(true)
    await expect(body.bytes()).rejects.toMatchObject({ reason: "body-spent" })
  })
  test("with more bytes than may be → TOO_LARGE at the piece that is too much", async () => {
    const seen: number[] = []
    const reading = async (): Promise<void> => {
      for await (const { length } of bodyOf(pieces(5, 5, 5))!
        .within(10)
        .stream())
        seen.push(length)
    }
    await expect(reading()).rejects.toMatchObject({ code: "TOO_LARGE", status: 413 })
    expect(seen).toEqual([5, 5])
  })
  test("a type that could end a header field → unknown", () => {
    expect(new Body({ name: null, type: "text/html\r\nx: y", size: null }, pieces).type).toBe("application/octet-stream")
  })
  test.each([["text"], [5], [null], [undefined], [{}], [{ content: "text" }], [[1]]])("%j is none", (given) =>
    expect(bodyOf(given)).toBeNull(),
  )
  test("a piece that is no Uint8Array → an error", async () => {
    const texts = (async function* () {
      yield "text"
    })()
    await expect(bodyOf(texts)!.bytes()).rejects.toThrow("no Uint8Array")
  })
})
