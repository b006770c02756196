/** Why a handshake with a client failed, in words for the log: by the codes of Node and OpenSSL. */

/** What OpenSSL found when it judged the client's certificate. */
const verdicts: Readonly<Record<string, string>> = {
  CERT_REVOKED: 'the client certificate is revoked',
  CERT_HAS_EXPIRED: 'the client certificate, or one above it, has expired',
  CERT_NOT_YET_VALID: 'the client certificate, or one above it, is not valid yet',
  CRL_HAS_EXPIRED: 'a revocation list is over: no client is let in',
  CRL_NOT_YET_VALID: 'a revocation list is not valid yet: no client is let in',
  UNABLE_TO_GET_CRL: 'the client certificate is from an authority that is not in clientCa, or that has no list in crl',
  UNABLE_TO_GET_ISSUER_CERT: 'the client certificate is from an authority that is not in clientCa',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'the client certificate is from an authority that is not in clientCa',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'the client certificate is from an authority that is not in clientCa',
  SELF_SIGNED_CERT_IN_CHAIN: 'the client certificate is from an authority that is not in clientCa',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the client certificate is signed by itself, and not in clientCa',
  CERT_SIGNATURE_FAILURE: 'the client certificate is not signed by the authority it names',
  INVALID_PURPOSE: 'the client certificate is not meant for clients',
}

/** `code` as in `TLSSocket.authorizationError`. */
export function verdictOf(code: string): string {
  return verdicts[code] ?? `the client certificate is not trusted: ${code}`
}

const failures: Readonly<Record<string, string>> = {
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: 'the client showed no certificate',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: "the client does not trust the authority of the gateway's certificate",
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: "the client does not take the gateway's certificate: authority or host name",
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: "the client does not take the gateway's certificate: authority or host name",
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: "the client says that the gateway's certificate has expired",
  ERR_SSL_HTTP_REQUEST: 'this is HTTP without TLS',
  ERR_SSL_WRONG_VERSION_NUMBER: 'this is no TLS: a client without TLS?',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'the client knows only versions of TLS that are not offered',
  ERR_SSL_NO_SHARED_CIPHER: 'the client knows no cipher that is offered',
  ERR_TLS_HANDSHAKE_TIMEOUT: 'the handshake took too long',
  ECONNRESET: 'the client went away',
}

/** What went wrong between accepting a connection and the end of its handshake; undefined where only the error says. */
export function handshakeFailure(error: Error): string | undefined {
  return failures[(error as NodeJS.ErrnoException).code ?? '']
}
