/** A TypeScript 5.9 language server, asked as an editor asks it. */
import { type ChildProcess, spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { cpuMicrosOfTree, SUBJECT_CORE } from "../harness/processes.ts"

export interface Completion {
  wallMs: number
  cpuMs: number
  names: string[]
}

export class TsServer {
  #child: ChildProcess
  #sequence = 0
  #waiting = new Map<number, (response: any) => void>()
  #buffer = Buffer.alloc(0)
  #lines = new Map<string, string[]>()

  constructor(typescriptFolder: string) {
    const command = [
      "-c",
      String(SUBJECT_CORE),
      process.execPath,
      "--max-old-space-size=8192",
      `${typescriptFolder}/lib/tsserver.js`,
      "--disableAutomaticTypingAcquisition",
    ]
    this.#child = spawn("taskset", command, { stdio: ["pipe", "pipe", "ignore"] })
    this.#child.stdout!.on("data", (chunk) => this.#read(chunk))
  }

  /** Opens a file with `more` lines at its end that the disk does not have. */
  open(file: string, more: readonly string[] = []): void {
    const lines = [...readFileSync(file, "utf8").trimEnd().split("\n"), ...more]
    this.#lines.set(file, lines)
    this.#send("open", { file, fileContent: `${lines.join("\n")}\n` })
  }

  /** Puts a new comment into the first line. */
  edit(file: string, comment: string): void {
    const lines = this.#lines.get(file)!
    const old = lines[0]!
    lines[0] = `${old.replace(/ \/\/ edit.*$/, "")} // edit ${comment}`
    this.#send("change", { file, line: 1, offset: 1, endLine: 1, endOffset: old.length + 1, insertString: lines[0] })
  }

  /** Completions right behind `text`, which must be in the open file. */
  async complete(file: string, text: string): Promise<Completion> {
    const lines = this.#lines.get(file)!
    const at = lines.findIndex((line) => line.startsWith(text))
    const began = { wall: performance.now(), cpu: cpuMicrosOfTree(this.#child.pid!) }
    const response = await this.#ask("completionInfo", { file, line: at + 1, offset: text.length + 1 })
    const wallMs = performance.now() - began.wall
    const cpuMs = (cpuMicrosOfTree(this.#child.pid!) - began.cpu) / 1_000
    return { wallMs, cpuMs, names: (response.body?.entries ?? []).map((entry: { name: string }) => entry.name) }
  }

  stop(): void {
    this.#child.kill("SIGKILL")
  }

  #send(command: string, args: unknown): number {
    const seq = ++this.#sequence
    this.#child.stdin!.write(`${JSON.stringify({ seq, type: "request", command, arguments: args })}\n`)
    return seq
  }

  #ask(command: string, args: unknown): Promise<any> {
    return new Promise((resolve, reject) => {
      const seq = this.#send(command, args)
      const timer = setTimeout(() => reject(new Error(`no answer to ${command} within 120 s`)), 120_000)
      this.#waiting.set(seq, (response) => {
        clearTimeout(timer)
        resolve(response)
      })
    })
  }

  #read(chunk: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, chunk])
    for (;;) {
      const head = this.#buffer.indexOf("\r\n\r\n")
      if (head < 0) return
      const length = Number(/Content-Length: (\d+)/.exec(this.#buffer.toString("latin1", 0, head))![1])
      if (this.#buffer.length < head + 4 + length) return
      const message = JSON.parse(this.#buffer.toString("utf8", head + 4, head + 4 + length))
      this.#buffer = this.#buffer.subarray(head + 4 + length)
      if (message.type === "response") this.#waiting.get(message.request_seq)?.(message)
    }
  }
}
