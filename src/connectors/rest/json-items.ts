/** Why a list could not be read on. */
export class ItemsUnreadable extends Error {
  override readonly name = "ItemsUnreadable"
}

const ITEM_LENGTH_MAX = 1_048_576

/** The text of each line that is not empty, as it comes. */
export async function* linesIn(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  let rest = ""
  for await (const text of textOf(chunks)) {
    const lines = (rest + text).split("\n")
    rest = lines.pop()!
    if (rest.length > ITEM_LENGTH_MAX) throw new ItemsUnreadable("a line is too long")
    for (const line of lines) {
      if (line.length > ITEM_LENGTH_MAX) throw new ItemsUnreadable("a line is too long")
      if (line.trim() !== "") yield line
    }
  }
  if (rest.trim() !== "") yield rest
}

/** The text of each element of a JSON array, as it comes; of the array in the field `at` where the text is an object. */
export async function* elementsIn(chunks: AsyncIterable<Uint8Array>, at: string | undefined): AsyncGenerator<string, void, undefined> {
  const scanner = new Scanner(at)
  for await (const text of textOf(chunks)) yield* scanner.take(text)
  if (!scanner.isOver) throw new ItemsUnreadable(scanner.isInside ? "it ends within the list" : `it holds no list${at ? ` in ${at}` : ""}`)
}

async function* textOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder("utf-8", { fatal: true })
  const decode = (chunk?: Uint8Array): string => {
    try {
      return chunk ? decoder.decode(chunk, { stream: true }) : decoder.decode()
    } catch {
      throw new ItemsUnreadable("it is no UTF-8")
    }
  }
  for await (const chunk of chunks) yield decode(chunk)
  yield decode()
}

/** Finds where the elements of one array begin and end; whether each is JSON is for who parses it. */
class Scanner {
  readonly #at: string | undefined
  isInside = false
  isOver = false
  /** Of brackets round the present place; within the list, of those inside an element. */
  #depth = 0
  #isText = false
  #isEscaped = false
  /** The element, or before the list the text, that is being read. */
  #held = ""
  #key: string | null = null

  constructor(at: string | undefined) {
    this.#at = at
  }

  *take(text: string): Generator<string, void, undefined> {
    let from = 0
    for (let i = 0; i < text.length && !this.isOver; i++) {
      const letter = text[i]!
      if (this.#isText) this.#withinText(letter)
      else if (letter === '"') this.#isText = true
      else if (!this.isInside) {
        if (this.#seek(letter, text.slice(from, i))) from = i + 1
      } else if (letter === "{" || letter === "[") this.#depth++
      else if (letter === "}" || (letter === "]" && this.#depth > 0)) this.#depth--
      else if (this.#depth === 0 && (letter === "," || letter === "]")) {
        this.#hold(text.slice(from, i))
        const element = this.#held
        this.#held = ""
        from = i + 1
        this.isOver = letter === "]"
        if (element.trim() !== "" || letter === ",") yield element
      }
    }
    if (!this.isOver) this.#hold(text.slice(from))
  }

  #hold(text: string): void {
    this.#held += text
    if (this.#held.length > ITEM_LENGTH_MAX) throw new ItemsUnreadable("an element is too long")
  }

  #withinText(letter: string): void {
    if (this.#isEscaped) this.#isEscaped = false
    else if (letter === "\\") this.#isEscaped = true
    else if (letter === '"') this.#isText = false
  }

  /** Before the list. `true` where what was held is of no more use. */
  #seek(letter: string, before: string): boolean {
    if (letter === ":" && this.#depth === 1) this.#key = (this.#held + before).trim()
    if (letter === "[" && (this.#at === undefined ? this.#depth === 0 : this.#depth === 1 && this.#key === JSON.stringify(this.#at)))
      this.isInside = true
    else if (letter === "{" || letter === "[") this.#depth++
    else if (letter === "}" || letter === "]") this.#depth--
    else if (!",:".includes(letter)) return false
    if (this.isInside) this.#depth = 0
    if (letter === ",") this.#key = null
    this.#held = ""
    return true
  }
}
