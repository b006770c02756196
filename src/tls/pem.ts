/** PEM blocks in and out. Text between the blocks (openssl's bag attributes, comments) is skipped. */

export interface PemBlock {
  readonly label: string
  /** The whole block, from BEGIN to END. */
  readonly text: string
}

const BEGIN = '-----BEGIN '
const DASHES = '-----'

export function readPem(content: Buffer): PemBlock[] {
  const text = content.toString('latin1')
  const blocks: PemBlock[] = []
  let at = text.indexOf(BEGIN)
  while (at >= 0) {
    const labelEnd = text.indexOf(DASHES, at + BEGIN.length)
    const label = labelEnd < 0 ? '' : text.slice(at + BEGIN.length, labelEnd)
    const footer = `-----END ${label}-----`
    const end = labelEnd < 0 || /[\r\n]/.test(label) ? -1 : text.indexOf(footer, labelEnd)
    if (end < 0) throw new Error('a PEM block begins and does not end: the file is cut short or damaged')
    blocks.push({ label, text: `${text.slice(at, end + footer.length)}\n` })
    at = text.indexOf(BEGIN, end + footer.length)
  }
  return blocks
}

export function toPem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}

export const isCertificateLabel = (label: string): boolean => label === 'CERTIFICATE' || label === 'X509 CERTIFICATE'

export const isPrivateKeyLabel = (label: string): boolean => label.endsWith('PRIVATE KEY')
