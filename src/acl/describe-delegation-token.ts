/**
 * DescribeDelegationToken: never denied. Whoever owns, asked for or may renew a token sees it; others need Describe on the
 * token or DescribeTokens on its owner, and tokens they may not see are left out. (DelegationTokenManager.filterToken)
 */
import type { ApiKey } from '../protocol/api-key.ts'
import type { DescribedDelegationToken } from '../protocol/generated/describe-delegation-token-response.ts'
import type { EnforcementOf } from './enforcement.ts'
import { dropHidden } from './hidden.ts'
import { delegationToken, user } from './rights.ts'

export function enforceDescribeDelegationToken(): EnforcementOf<typeof ApiKey.DescribeDelegationToken> {
  return {
    response({ tokens }, judge, { client: { principal } }) {
      return dropHidden(
        tokens,
        token =>
          isOwn(token, principal) ||
          judge.allows(delegationToken.describe, token.tokenId) ||
          judge.allows(user.describeTokens, `${token.principalType}:${token.principalName}`),
      )
    },
  }
}

function isOwn(token: DescribedDelegationToken, principal: string): boolean {
  const { principalType, principalName, tokenRequesterPrincipalType, tokenRequesterPrincipalName, renewers } = token
  return (
    `${principalType}:${principalName}` === principal ||
    `${tokenRequesterPrincipalType}:${tokenRequesterPrincipalName}` === principal ||
    renewers.some(({ principalType: type, principalName: name }) => `${type}:${name}` === principal)
  )
}
