import { describe, expect, test } from "vitest"
import { readAddress } from "./address.ts"

describe("an address", () => {
  test("all of it: read", () => {
    expect(readAddress("postgres://ada:p%40ss@db.example:6000/notes?sslmode=verify-full&application_name=x")).toEqual({
      host: "db.example",
      port: 6000,
      user: "ada",
      password: "p@ss",
      database: "notes",
      tls: { rootFile: null },
      applicationName: "x",
      options: undefined,
    })
  })

  test.each([
    ["postgres://ada@localhost/notes", null],
    ["postgres://ada@127.0.0.1/notes", null],
    ["postgres://ada@[::1]/notes", null],
    ["postgres://ada@x/notes?host=/run/postgresql", null],
    ["postgres://ada@db.example/notes", { rootFile: null }],
    ["postgres://ada@127.0.0.1.example/notes", { rootFile: null }],
    ["postgres://ada@db.example/notes?sslmode=disable", null],
    ["postgres://ada@db.example/notes?sslmode=require", { rootFile: null }],
    ["postgres://ada@localhost/notes?sslrootcert=/ca.pem", { rootFile: "/ca.pem" }],
  ])("%s: protected as it says, and by default wherever it leaves this machine", (text, tls) => {
    expect(readAddress(text)).toMatchObject({ tls })
  })

  test.each([
    ["", "no postgres:// URL"],
    ["mysql://ada@h/notes", "no postgres:// URL"],
    ["host=h user=ada password=pass-9f2c", "no postgres:// URL"],
    ["postgres://h/notes", "user, host and database"],
    ["postgres://ada@h", "user, host and database"],
    ["postgres://ada@h/notes?sslmode=prefer", "sslmode=prefer"],
    ["postgres://ada@h/notes?sslmode=no-verify", "sslmode=no-verify"],
    ["postgres://ada@h/notes?sslmode=disable&sslrootcert=/x", "no TLS"],
    ["postgres://ada@h/notes?ssl=true", '"ssl"'],
    ["postgres://ada@h/notes?host=other", "socket"],
  ])("%j: wrong, without a word of its password", (text, said) => {
    const read = readAddress(text) as { wrong: string }
    expect(read.wrong).toContain(said)
    expect(read.wrong).not.toContain("pass-9f2c")
  })
})
