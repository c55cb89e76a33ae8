import type { Op } from "../contract/op.ts"

/**
 * An operation by its types alone, as `trestle client` declares it for front ends that do not have the application's sources: what it
 * takes, what it gives, and the codes of its own errors. The client treats it like the operation itself.
 */
export interface Exposed<I, O, E extends string = never> extends Op<I, any, O, E, string> {}
