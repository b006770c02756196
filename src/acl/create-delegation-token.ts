/**
 * CreateDelegationToken: everybody for itself; for somebody else CreateTokens on that user. (KafkaApis.handleCreateTokenRequest)
 * It is refused whatever the rules say, as the brokers would make the token for the gateway's own principal.
 */
import type { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import {
  type CreateDelegationTokenResponse,
  createDelegationTokenResponseDefaults,
} from '../protocol/generated/create-delegation-token-response.ts'
import { answer, type EnforcementOf, whole } from './enforcement.ts'
import { user } from './rights.ts'

export function enforceCreateDelegationToken(): EnforcementOf<typeof ApiKey.CreateDelegationToken> {
  return {
    request({ ownerPrincipalType: type, ownerPrincipalName: name }, judge, { client: { principal } }) {
      const isForItself = name === null || name === '' || `${type}:${name}` === principal
      if (isForItself || judge.allows(user.createTokens, `${type}:${name}`)) return whole
      const [requesterType = '', requesterName = ''] = splitPrincipal(principal)
      return answer<CreateDelegationTokenResponse>({
        ...createDelegationTokenResponseDefaults(),
        errorCode: ErrorCode.DELEGATION_TOKEN_AUTHORIZATION_FAILED,
        principalType: type ?? '',
        principalName: name,
        tokenRequesterPrincipalType: requesterType,
        tokenRequesterPrincipalName: requesterName,
        issueTimestampMs: -1n,
        expiryTimestampMs: -1n,
        maxTimestampMs: -1n,
      })
    },
  }
}

function splitPrincipal(principal: string): string[] {
  const colon = principal.indexOf(':')
  return [principal.slice(0, colon), principal.slice(colon + 1)]
}
