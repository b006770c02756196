/** Every answer with a text for people in it: a broker may write an address there. */
import { type ApiHandler, changed, unchanged } from '../pipeline/stage.ts'
import { Span } from '../wire/span.ts'
import type { HiddenText } from './hidden-text.ts'

const textFields = /^(?:\w*[eE]rrorMessage|statusDetail)$/

export function rewriteTexts(hidden: HiddenText): ApiHandler {
  return { response: body => (hideTexts(body, hidden) ? changed : unchanged) }
}

/** Hides addresses in every text field of a message, however deep; returns whether one was changed. */
export function hideTexts(value: unknown, hidden: HiddenText): boolean {
  if (value === null || typeof value !== 'object' || Buffer.isBuffer(value) || value instanceof Span) return false
  let isChanged = false
  if (Array.isArray(value)) {
    // Numbers and strings in arrays are ids and names.
    if (typeof value[0] !== 'object') return false
    for (const element of value) if (hideTexts(element, hidden)) isChanged = true
    return isChanged
  }
  const fields = value as Record<string, unknown>
  for (const name of Object.keys(fields)) {
    const field = fields[name]
    if (typeof field !== 'string') {
      if (hideTexts(field, hidden)) isChanged = true
    } else if (textFields.test(name)) {
      fields[name] = hidden.hide(field)
      isChanged ||= fields[name] !== field
    }
  }
  return isChanged
}
