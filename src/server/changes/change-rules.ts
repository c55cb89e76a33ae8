interface Rule {
  /** Whether callers of the earlier document can fail. */
  readonly is: "breaking" | "compatible"
  readonly title: string
  /** How to change without breaking; empty for what breaks nobody. */
  readonly fix: string
}

const KEEP = "Keep it, or make the change in a new operation and mark this one `deprecated`."

/** Everything that can differ between two documents, and whether it breaks callers. `docs/how-to/change-a-contract.md` lists them. */
export const CHANGE_RULES = {
  "operation-removed": {
    is: "breaking",
    title: "operation removed",
    fix: "Bring it back with `deprecated: { sunset, use }` until its end.",
  },
  "operation-renamed": { is: "breaking", title: "operation renamed", fix: "Name the earlier path: was: [...]" },
  "route-changed": { is: "breaking", title: "route changed", fix: "Keep the route; a second operation may have the new one." },
  "status-changed": { is: "breaking", title: "status of a success changed", fix: "Declare the earlier `status`." },
  "repeat-withdrawn": { is: "breaking", title: "may not be repeated any more", fix: KEEP },
  "became-write": { is: "breaking", title: "a read became a write", fix: KEEP },
  "auth-tightened": {
    is: "breaking",
    title: "needs a credential that it did not need",
    fix: "Keep taking the earlier credential while callers change.",
  },
  "error-status-changed": { is: "breaking", title: "status of an error changed", fix: "Declare the earlier status in `errors`." },
  "input-media-type-removed": { is: "breaking", title: "form of the body not taken any more", fix: KEEP },
  "output-media-type-removed": { is: "breaking", title: "form of the answer not given any more", fix: KEEP },
  "input-required": { is: "breaking", title: "input requires a field", fix: "Make it optional, or give it a default." },
  "input-removed": { is: "breaking", title: "input field removed", fix: "Keep taking it, and ignore it if it means nothing any more." },
  "input-moved": { is: "breaking", title: "input field moved between path, query and body", fix: "Keep it where it was." },
  "input-type": { is: "breaking", title: "input type narrowed", fix: "Keep taking the earlier type: a union of both." },
  "input-values": { is: "breaking", title: "input value not taken any more", fix: "Keep taking it." },
  "input-limit": { is: "breaking", title: "input limit tightened", fix: "Keep the earlier limit." },
  "input-form": { is: "breaking", title: "input form changed", fix: "Keep taking what was taken: a union of both." },
  "output-removed": {
    is: "breaking",
    title: "output field removed",
    fix: "Keep giving it; `deprecated` in its description says that it ends.",
  },
  "output-optional": {
    is: "breaking",
    title: "output field may be missing",
    fix: "Keep giving it, with a value that says that there is none.",
  },
  "output-type": { is: "breaking", title: "output type changed", fix: "Keep the field as it is, and give the new form in another one." },
  "output-values": { is: "breaking", title: "output may have a new value", fix: "Give it in a new field, or in a new operation." },
  "output-limit": { is: "breaking", title: "output limit widened", fix: "Keep the earlier limit." },
  "output-form": { is: "breaking", title: "output form changed", fix: "Keep the field as it is, and give the new form in another one." },
  "operation-added": { is: "compatible", title: "operation added", fix: "" },
  "operation-ended": { is: "compatible", title: "operation removed after its announced end", fix: "" },
  "operation-moved": { is: "compatible", title: "operation renamed, its earlier path kept by `was`", fix: "" },
  "operation-deprecated": { is: "compatible", title: "operation deprecated", fix: "" },
  "auth-loosened": { is: "compatible", title: "takes more credentials, or needs none", fix: "" },
  "error-added": { is: "compatible", title: "error added", fix: "" },
  "error-removed": { is: "compatible", title: "error removed", fix: "" },
  "input-added": { is: "compatible", title: "optional input field added", fix: "" },
  "input-widened": { is: "compatible", title: "input takes more", fix: "" },
  "output-added": { is: "compatible", title: "output field added", fix: "" },
  "output-narrowed": { is: "compatible", title: "output promises more", fix: "" },
} as const satisfies Record<string, Rule>

export type ChangeRule = keyof typeof CHANGE_RULES

/** One difference between an earlier document and the present one. */
export interface Change {
  readonly rule: ChangeRule
  readonly is: "breaking" | "compatible"
  /** Path of the operation, as the earlier document has it; for what is new, the present one. */
  readonly operation: string
  /** `body.address.zip`, `query.limit`, `output.items[].id`; empty for the operation itself. */
  readonly place: string
  readonly before: string
  readonly after: string
  /** What to do; empty for what breaks nobody. */
  readonly fix: string
}

export function change(rule: ChangeRule, operation: string, place: string, before: string, after: string): Change {
  const { is, fix } = CHANGE_RULES[rule]
  return { rule, is, operation, place, before, after, fix }
}
