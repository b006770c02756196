/** The message definitions as `tools/messages.json` keeps them: Kafka's own facts and words, without the prose. */

export interface FieldDefinition {
  readonly name: string
  readonly type: string
  readonly versions: string
  readonly nullableVersions?: string
  readonly tag?: number
  readonly taggedVersions?: string
  readonly flexibleVersions?: string
  readonly default?: string | number | boolean
  readonly ignorable?: boolean
  readonly mapKey?: boolean
  readonly entityType?: string
  readonly fields?: readonly FieldDefinition[]
}

export interface StructDefinition {
  readonly name: string
  readonly versions: string
  readonly fields: readonly FieldDefinition[]
}

export interface MessageDefinition {
  readonly name: string
  readonly type: 'request' | 'response' | 'header' | 'data'
  readonly apiKey?: number
  readonly listeners?: readonly string[]
  readonly validVersions: string
  readonly latestVersionUnstable?: boolean
  readonly flexibleVersions?: string
  readonly fields?: readonly FieldDefinition[]
  readonly commonStructs?: readonly StructDefinition[]
}

export interface Definitions {
  /** Artifact and version the definitions were taken from. */
  readonly source: string
  readonly errors: Readonly<Record<string, number>>
  readonly messages: readonly MessageDefinition[]
}
