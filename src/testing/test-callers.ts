import type { Authenticator, Principal } from "../contract/principal.ts"

/** Only a test application knows it, and only the values that it has made itself. */
const HEADER = "x-trestle-test-caller"

/** Lets a test act over HTTP as any principal, whatever credentials the application takes. */
export class TestCallers {
  readonly #principals: Principal[] = []

  readonly authenticator: Authenticator = {
    kind: "test",
    open: () => (head) => {
      const text = head.headers[HEADER]
      return text === undefined ? null : (this.#principals[Number(text)] ?? "bad")
    },
  }

  /** The header fields of a request by that principal. */
  headersOf(principal: Principal): Record<string, string> {
    let index = this.#principals.indexOf(principal)
    if (index === -1) index = this.#principals.push(principal) - 1
    return { [HEADER]: String(index) }
  }
}
