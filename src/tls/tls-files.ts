/** Files as this room is given them: content and path, never a file to open. The path is for the messages. */
import { X509Certificate } from 'node:crypto'
import { TlsError } from '../errors.ts'
import { isCertificateLabel, type PemBlock, readPem } from './pem.ts'

export interface FileContent {
  readonly path: string
  readonly content: Buffer
}

/** What keeps a password out of logs; only `reveal` hands it out. */
export interface Password {
  reveal(): string
}

/** The blocks of a PEM file; anything else is refused with what to write or run instead. */
export function pemBlocks({ path, content }: FileContent): PemBlock[] {
  const blocks = damaged(path, () => readPem(content))
  if (blocks.length > 0) return blocks
  if (content.length >= 4 && content.readUInt32BE(0) === 0xfeedfeed) {
    throw new TlsError(
      `${path}: a JKS key store; convert it to PKCS#12 with keytool -importkeystore and name it as {pkcs12: …}`,
    )
  }
  if (content[0] === 0x30) {
    throw new TlsError(
      `${path}: binary, not PEM. Where it is PKCS#12, write {pkcs12: ${path}, password: …}; ` +
        'where it is a certificate in DER, convert it with openssl x509 -inform der',
    )
  }
  throw new TlsError(`${path}: no PEM block in it`)
}

function damaged<Result>(path: string, read: () => Result): Result {
  try {
    return read()
  } catch (cause) {
    throw new TlsError(`${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}

export function pemCertificates(file: FileContent): X509Certificate[] {
  const blocks = pemBlocks(file).filter(block => isCertificateLabel(block.label))
  if (blocks.length === 0) throw new TlsError(`${file.path}: no certificate in it`)
  return blocks.map((block, at) => {
    try {
      return new X509Certificate(block.text)
    } catch (cause) {
      throw new TlsError(`${file.path}: certificate ${at + 1} of ${blocks.length} cannot be read`, { cause })
    }
  })
}

/** For messages about our own files: OpenSSL's rendering never fails, whatever a subject holds. */
export const named = ({ subject }: X509Certificate): string => subject?.replaceAll('\n', ', ') ?? '(no subject)'
