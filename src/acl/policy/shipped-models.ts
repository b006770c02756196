/**
 * The two models that vkitm ships, by their text: `policies/model.conf` and `policies/model-with-host.conf` hold the same.
 * Comments and the space between words make no difference; anything else is a model of the user's own.
 */

export type ShippedModel = 'plain' | 'withHost'

const text = (policyColumns: string, hostMatcher: string): string => `
[request_definition]
r = sub, type, name, api, op, host
[policy_definition]
p = ${policyColumns}
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = kafkaSubject(r.sub, p.sub, g(r.sub, p.sub)) && r.type == p.type && kafkaName(r.name, p.name) && kafkaAction(r.api, r.op, p.act, p.eft)${hostMatcher}
`

export const shippedModels: Readonly<Record<ShippedModel, string>> = {
  plain: text('sub, type, name, act, eft', ''),
  withHost: text('sub, type, name, act, host, eft', ' && kafkaHost(r.host, p.host)'),
}

const normalised = (model: string): string =>
  model
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .filter(line => !/^\s*([#;]|$)/.test(line))
    .map(line => line.replace(/\s+/g, ''))
    .join('\n')

const known = new Map((['plain', 'withHost'] as const).map(name => [normalised(shippedModels[name]), name]))

/** Which of the shipped models this is; undefined for one of the user's own. */
export function recogniseModel(model: string): ShippedModel | undefined {
  return known.get(normalised(model))
}
