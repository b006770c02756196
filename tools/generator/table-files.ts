// The generated files that are not messages: names, codes, and the table from API keys to readers and writers.
import type { Definitions, MessageDefinition } from './definition.ts'
import { banner } from './message-file.ts'
import { kebabCase } from './model.ts'
import { parseVersions } from './versions.ts'

interface Api {
  readonly key: number
  readonly name: string
  readonly request: MessageDefinition
  readonly response: MessageDefinition
}

export function apisOf(messages: readonly MessageDefinition[]): Api[] {
  const apis: Api[] = []
  for (const request of messages) {
    if (request.type !== 'request' || parseVersions(request.validVersions) === undefined) continue
    const response = messages.find(message => message.type === 'response' && message.apiKey === request.apiKey)
    if (response === undefined || request.apiKey === undefined) throw new Error(`${request.name} has no response`)
    if (response.validVersions !== request.validVersions)
      throw new Error(`${request.name}: versions differ from the response's`)
    apis.push({ key: request.apiKey, name: request.name.replace(/Request$/, ''), request, response })
  }
  return apis.toSorted((one, other) => one.key - other.key)
}

export function apiKeyFile(apis: readonly Api[]): string {
  return `${banner}

export const ApiKey = {
${apis.map(api => `  ${api.name}: ${api.key},`).join('\n')}
} as const

export type ApiKey = (typeof ApiKey)[keyof typeof ApiKey]
`
}

export function errorCodeFile(errors: Definitions['errors']): string {
  return `${banner}

export const ErrorCode = {
${Object.entries(errors)
  .map(([name, code]) => `  ${name}: ${code},`)
  .join('\n')}
} as const

export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode]
`
}

export function messageTypesFile(apis: readonly Api[]): string {
  const imports = apis.flatMap(api => [api.request, api.response]).map(typeImport)
  const entries = (side: 'request' | 'response') => apis.map(api => `  ${api.key}: ${api[side].name}`).join('\n')
  return `${banner}
${imports.join('\n')}

export interface RequestByKey {
${entries('request')}
}

export interface ResponseByKey {
${entries('response')}
}
`
}

const typeImport = (message: MessageDefinition) =>
  `import type { ${message.name} } from './${kebabCase(message.name)}.ts'`

const codeImport = (message: MessageDefinition) =>
  `import { read${message.name}, write${message.name} } from './${kebabCase(message.name)}.ts'`

export function apiTableFile(apis: readonly Api[]): string {
  const imports = apis.flatMap(api => [api.request, api.response]).map(codeImport)
  return `${banner}
import type { ApiDescription } from '../api-description.ts'
${imports.join('\n')}

export const apis: readonly ApiDescription[] = [
${apis.map(apiEntry).join('\n')}
]
`
}

function apiEntry({ key, name, request, response }: Api): string {
  const valid = parseVersions(request.validVersions)!
  const flexibleFrom = parseVersions(request.flexibleVersions)?.low ?? 'Number.POSITIVE_INFINITY'
  const listeners = (request.listeners ?? []).map(listener => `'${listener}'`).join(', ')
  return `  {
    key: ${key},
    name: '${name}',
    minVersion: ${valid.low},
    maxVersion: ${valid.high},
    flexibleFrom: ${flexibleFrom},
    listeners: [${listeners}],
    latestVersionUnstable: ${request.latestVersionUnstable === true},
    readRequest: read${request.name},
    writeRequest: write${request.name},
    readResponse: read${response.name},
    writeResponse: write${response.name},
  },`
}
