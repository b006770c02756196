/**
 * What the configuration says once it is read, checked and filled with its defaults: plain frozen values that
 * `gateway/` hands out in slices. Lower rooms declare what they need and these shapes fit; none imports this file.
 */
import type { TokenAlgorithm } from '../identity/token-judge.ts'
import type { Mechanism } from '../sasl/conversation.ts'
import type { Secret } from '../telemetry/secret.ts'
import type { FileAccess } from './bounded-read.ts'

export interface Config {
  /** Absolute path of the file this was read from. */
  readonly file: string
  /** When reading began: what changed since then is read again once the gateway runs. */
  readonly readAt: Date
  readonly clusters: readonly ClusterConfig[]
  /** Absent where the file says `admin: none`. */
  readonly admin?: AdminConfig
  /** Absent: nothing is renewed. */
  readonly autoRenew?: AutoRenewConfig
  readonly limits: LimitsConfig
  readonly log: LogConfig
  readonly audit: AuditConfig
  /** What is weaker than the default or easily overlooked (`policy: none`, skipped verification): logged at start. */
  readonly warnings: readonly ConfigWarning[]
}

/** Certificates in the folder of a CA of our own, renewed before they expire. */
export interface AutoRenewConfig {
  /** Absolute. */
  readonly dir: string
  readonly beforeDays: number
}

export interface ConfigWarning {
  readonly path: string
  readonly message: string
}

export interface ClusterConfig {
  readonly name: string
  readonly upstream: UpstreamConfig
  readonly listeners: readonly ListenerConfig[]
  readonly policy: PolicyConfig | 'none'
}

export interface PolicyConfig {
  readonly model: FileContent
  readonly rules: FileContent
  readonly mode: 'enforce' | 'audit'
  /** Principals that may do everything: `User:admin`. */
  readonly superUsers: readonly string[]
  /** Whether rules have to name what brokers keep in `__consumer_offsets` and the like, or allow it by a prefix, too. */
  readonly internalTopics: 'named' | 'judged'
  /** Names of APIs, or `Api:resourceType`. Absent: the default list. */
  readonly refuse?: readonly string[]
  readonly shadowRules?: FileContent
}

/** A host without brackets, also where it is an IPv6 address. */
export interface Endpoint {
  readonly host: string
  readonly port: number
}

export interface UpstreamConfig {
  readonly bootstrap: readonly Endpoint[]
  /** Hosts that metadata may send us to. Absent: the default rule of DESIGN section 4. */
  readonly allow?: readonly HostPattern[]
  /** Absent: plaintext. */
  readonly tls?: UpstreamTlsConfig
  /** Absent: none. */
  readonly sasl?: UpstreamSaslConfig
}

export interface UpstreamSaslConfig {
  readonly mode: 'service' | 'mapped' | 'passthrough'
  readonly mechanism: Mechanism
  /** The gateway's own identity, in every mode. */
  readonly own: OwnCredentialConfig
  /** With mapped: principal → username and password. */
  readonly credentials?: FileContent
}

export type OwnCredentialConfig =
  | { readonly kind: 'password'; readonly username: string; readonly password: Secret }
  | { readonly kind: 'tokenFile'; readonly file: FileContent }
  | {
      readonly kind: 'tokenEndpoint'
      readonly tokenEndpoint: string
      readonly clientId: string
      readonly clientSecret: Secret
      readonly scope?: string
      /** Who vouches for the endpoint. Absent: Node's roots. */
      readonly ca?: CertificateSource
    }

export interface ListenerSaslConfig {
  /** In the order in which they are offered. */
  readonly mechanisms: readonly Mechanism[]
  /** For all but OAUTHBEARER. */
  readonly users?: FileContent
  readonly oauthbearer?: BearerConfig
  /** How long a login lasts, in milliseconds; absent: as long as the connection or the token. */
  readonly sessionLifetime?: number
}

export interface BearerConfig {
  readonly jwks: { readonly kind: 'file'; readonly file: FileContent } | { readonly kind: 'url'; readonly url: string }
  /** Who vouches for the URL. Absent: Node's roots. */
  readonly ca?: CertificateSource
  readonly issuer: string
  readonly audience: string
  readonly algorithms: readonly TokenAlgorithm[]
  readonly principalClaim: string
  readonly scope?: string
}

export type HostPattern =
  /** Lower case, compared whole. */
  | { readonly kind: 'name'; readonly name: string }
  /** `*.internal`: every host below, not `internal` itself; the suffix keeps its dot and is lower case. */
  | { readonly kind: 'suffix'; readonly suffix: string }
  | ({ readonly kind: 'network' } & Network)

/** A single address is a network of 32 or 128 bits. Fits `net.BlockList.addSubnet`. */
export interface Network {
  readonly address: string
  readonly prefix: number
  readonly family: 'ipv4' | 'ipv6'
}

/** The content of a file at the time of loading; the path is for messages and for watching. */
export interface FileContent {
  readonly path: string
  readonly content: Buffer
  /** Who may read the file; absent where it was never read. */
  readonly access?: FileAccess
}

/** Whether a key file that others can read is refused. */
export type KeyPermissions = 'strict' | 'relaxed'

/** Certificates, or certificates with their key: PEM, or a PKCS#12 store with its password. */
export type CertificateSource =
  | ({ readonly kind: 'pem' } & FileContent)
  | ({ readonly kind: 'pkcs12'; readonly password: Secret } & FileContent)

/** A certificate chain with its private key: two PEM files (the key perhaps encrypted), or one PKCS#12 store. */
export type IdentitySource =
  | {
      readonly kind: 'pem'
      readonly certificate: FileContent
      readonly key: FileContent
      readonly keyPassword?: Secret
    }
  | { readonly kind: 'pkcs12'; readonly store: FileContent; readonly password: Secret }

export type TlsVersion = 'TLSv1.2' | 'TLSv1.3'

export interface UpstreamTlsConfig {
  /** Absent: Node's roots. */
  readonly ca?: CertificateSource
  /** Our client certificate. */
  readonly identity?: IdentitySource
  /** Principal → the certificate that brokers see for it. Absent: our own for everybody. */
  readonly certificates?: FileContent
  readonly serverName?: string
  readonly minVersion: TlsVersion
  readonly crl: readonly FileContent[]
  readonly dangerouslySkipVerification: boolean
  /** Absent: strict. */
  readonly keyPermissions?: KeyPermissions
}

export interface ListenerTlsConfig {
  readonly identity: IdentitySource
  readonly clientCa?: CertificateSource
  readonly clientAuth: 'none' | 'request' | 'require'
  readonly minVersion: TlsVersion
  readonly crl: readonly FileContent[]
  /** Absent: strict. */
  readonly keyPermissions?: KeyPermissions
}

/** Where a client's certificate has its name. */
export type NameSource = 'subject' | 'san:dns' | 'san:email' | 'san:uri'

/** Ports of brokers: the one of broker n is first + n − firstId, for firstId ≤ n < firstId + count. */
export interface PortRange {
  readonly first: number
  readonly count: number
  readonly firstId: number
}

export interface ListenerConfig {
  readonly name: string
  readonly bind: Endpoint
  /** What clients are told; the host is that of every broker too. A port of 0 means: the one that `bind` got. */
  readonly advertise: Endpoint
  readonly expose: 'ports'
  /** The ports we bind. */
  readonly brokerPorts: PortRange
  /** The ports clients are told; same count and firstId as `brokerPorts`. */
  readonly advertiseBrokerPorts: PortRange
  /** Absent: plaintext. */
  readonly tls?: ListenerTlsConfig
  readonly principal: { readonly from?: NameSource; readonly rules: readonly string[] }
  /** Absent: nobody logs in here, unless the brokers' own login is passed on. */
  readonly sasl?: ListenerSaslConfig
  /** Absent: no PROXY header is expected or accepted. */
  readonly proxyProtocol?: { readonly trusted: readonly Network[] }
}

export interface AdminConfig {
  readonly bind: Endpoint
  /** Without one, POST is answered only where `bind` is a loopback address. */
  readonly token?: Secret
}

/** Counts, bytes and milliseconds, named as in the file. */
export interface LimitsConfig {
  readonly connections: number
  readonly connectionsPerIp: number
  readonly acceptPerSecond: number
  readonly acceptPerSecondPerIp: number
  readonly frameBytes: number
  readonly preAuthFrameBytes: number
  readonly preAuthRequests: number
  readonly requestItems: number
  readonly inFlight: number
  readonly bufferedBytes: number
  readonly handshakeTimeout: number
  readonly firstFrameTimeout: number
  readonly frameTimeout: number
  readonly idleTimeout: number
  readonly writeStall: number
  readonly connectTimeout: number
  readonly drainTimeout: number
  readonly reauthTimeout: number
}

export interface AuditConfig {
  /** Absolute path, appended to. Absent: beside the log, on standard output. */
  readonly file?: string
  /** Whether what was allowed is written down, too. */
  readonly allows: boolean
  /** Whether nothing is served under a policy while it cannot be written down. */
  readonly required: boolean
}

export interface LogConfig {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal'
}
