/**
 * What describing groups has in common, of whatever type they are: Describe on every group, denied ones first in the
 * answer as in Kafka's; what may be done to a group is masked; and where members name topics, one that the client may
 * not describe blanks the whole group. (KafkaApis.handle…Describe…)
 */
import { ErrorCode } from '../protocol/error-code.ts'
import { answer, part, type Ruling, whole } from './enforcement.ts'
import type { Judge } from './judge.ts'
import { group, topic } from './rights.ts'
import { splitDenied } from './split.ts'

export interface DescribedGroup {
  groupId: string
  errorCode: number
  errorMessage: string | null
  authorizedOperations: number
}

interface Answer<Group> {
  groups: Group[]
}

export function judgeDescribedGroups<Group, Response extends Answer<Group>>(
  groupIds: string[],
  judge: Judge,
  denial: (groupId: string) => Group,
  defaults: () => Response,
): { readonly ruling: Ruling<Response>; readonly allowed: string[] } {
  const split = splitDenied(groupIds, groupId => judge.allows(group.describe, groupId))
  if (split === undefined) return { ruling: whole, allowed: groupIds }
  const { allowed } = split
  const denials = split.denied.map(denial)
  if (allowed.length === 0) return { ruling: answer({ ...defaults(), groups: denials }), allowed }
  const merge = (response: Response): void => {
    response.groups = [...denials, ...response.groups]
  }
  return { ruling: part(merge), allowed }
}

/** Groups that may no longer be described are denied, and of the others only what the client may do is told. */
export function maskGroups<Group extends DescribedGroup>(
  body: Answer<Group>,
  judge: Judge,
  denial: (groupId: string) => Group,
): boolean {
  let isChanged = false
  body.groups = body.groups.map(described => {
    const { groupId, authorizedOperations: before } = described
    if (!judge.sees(group.describe, groupId)) {
      isChanged ||= described.errorCode !== ErrorCode.GROUP_AUTHORIZATION_FAILED
      return denial(groupId)
    }
    described.authorizedOperations = judge.authorizedOperations(before, group, groupId)
    isChanged ||= described.authorizedOperations !== before
    return described
  })
  return isChanged
}

/** Puts `blank` in the place of groups with a topic that the client may not describe. */
export function blankGroups<Group extends DescribedGroup>(
  body: Answer<Group>,
  judge: Judge,
  topicsOf: (described: Group) => Iterable<string>,
  blank: (groupId: string) => Group,
): boolean {
  const verdicts = new Map<string, boolean>()
  const isDenied = (name: string): boolean => {
    const known = verdicts.get(name)
    if (known !== undefined) return !known
    const isAllowed = judge.allows(topic.describe, name)
    verdicts.set(name, isAllowed)
    return !isAllowed
  }
  let isChanged = false
  body.groups = body.groups.map(described => {
    // Every topic is decided, also behind the first denied one, as Kafka decides and logs them.
    const denied = [...topicsOf(described)].filter(isDenied)
    if (denied.length === 0) return described
    isChanged = true
    return blank(described.groupId)
  })
  return isChanged
}
