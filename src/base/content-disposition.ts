/** `filename` or, before it, `filename*` of a `Content-Disposition`; `null` without one. Source: RFC 6266, RFC 8187. */
export function fileNameIn(field: string | undefined): string | null {
  if (field === undefined) return null
  const extended = /;\s*filename\*\s*=\s*utf-8''([^;\s]+)/i.exec(field)?.[1]
  if (extended !== undefined) {
    try {
      return decodeURIComponent(extended)
    } catch {
      // Not well encoded; the plain one may do.
    }
  }
  const [, quoted, plain] = /;\s*filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s"]+))/i.exec(field) ?? []
  return quoted?.replace(/\\(.)/g, "$1") ?? plain ?? null
}

/** To be saved, not shown. The plain form is for those who do not read the extended one. */
export function attachment(name: string | null): string {
  if (name === null) return "attachment"
  const plain = name.replace(/[^ -~]/g, "_").replace(/["\\%]/g, "_")
  if (plain === name) return `attachment; filename="${plain}"`
  const extended = encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `attachment; filename="${plain}"; filename*=UTF-8''${extended}`
}
