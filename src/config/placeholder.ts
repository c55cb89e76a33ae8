import { SECRET_LENGTH_MIN } from "../base/secret-forms.ts"

/** Values that example files and tutorials put where a secret belongs. */
const STAND_INS =
  /^(change[-_ ]?(me|it|this)|replace[-_ ]?(me|this)|to[-_ ]?do|fixme|tbd|x+|\*+|\.+|-+|placeholder|example|secret|password|dummy|none|null|undefined|your[-_ ].*|my[-_ ]?(secret|password|token|key))$/i
/** A value that was to be filled in by a template, a shell or a vault and was not: `${TOKEN}`, `$TOKEN`, `{{ token }}`, `<token>`, `vault://…`. */
const REFERENCES = /^(\$\{.*\}|\$[A-Z_][A-Z0-9_]*|\{\{.*\}\}|<.*>|%[A-Z_]+%|(env|secret|vault|op|ssm):.*)$/i

/** Why this value is hardly the secret `name`, or `null`. Never repeats the value. */
export function standInReason(name: string, value: string): string | null {
  const text = value.trim()
  if (text.toLowerCase() === name.toLowerCase() || text === `secret("${name}")`) return "its value is its own name"
  if (REFERENCES.test(text)) return "its value is a reference that nothing has filled in"
  if (STAND_INS.test(text)) return "its value looks like a placeholder from an example"
  if (text.length < SECRET_LENGTH_MIN) return `its value has fewer than ${SECRET_LENGTH_MIN} characters, too few to be masked in logs`
  return null
}
