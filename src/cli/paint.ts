import { styleText } from "node:util"

export type Colour = "red" | "yellow" | "green" | "cyan" | "dim" | "bold"

/** Colours a text, or gives it back as it is. */
export type Paint = (colour: Colour, text: string) => string

const PLAIN: Paint = (_colour, text) => text
const COLOURED: Paint = (colour, text) => styleText(colour, text, { validateStream: false })

/** Colours only on a terminal that wants them. Whatever colour says, a word or a sign says too. */
export function paintFor(stream: { readonly isTTY?: boolean }, environment: NodeJS.ProcessEnv = process.env): Paint {
  // Source: no-color.org: present and not empty.
  return stream.isTTY === true && !environment.NO_COLOR && environment.TERM !== "dumb" ? COLOURED : PLAIN
}

/** Control characters and marks of direction: from a text that came from outside, they would command the terminal. */
const CONTROLS = /(?!\n)[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu

/** A text from outside, safe to show on a terminal. */
export function shown(text: string): string {
  return text.replaceAll("\t", "  ").replace(CONTROLS, "\uFFFD")
}
