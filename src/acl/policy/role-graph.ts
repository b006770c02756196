/** Who holds which roles, directly or through other roles. */

import type { RoleLink } from './rule.ts'
import type { Finding } from './rules-file.ts'
import { ROLE_CHAIN_MAX } from './vocabulary.ts'

export class RoleGraph {
  readonly #roles = new Map<string, string[]>()

  add(member: string, role: string): void {
    const roles = this.#roles.get(member)
    if (roles === undefined) this.#roles.set(member, [role])
    else roles.push(role)
  }

  /** Every role of the member, each once. */
  rolesOf(member: string): readonly string[] {
    const found = new Set(this.#roles.get(member))
    // A set goes on with what is added while it is walked.
    for (const role of found) for (const further of this.#roles.get(role) ?? []) found.add(further)
    return [...found]
  }
}

/** Chains that are too long, and roles that contain themselves: one finding each, at a line that makes it so. */
export function checkRoleChains(links: readonly RoleLink[]): Finding[] {
  const walk: Walk = { byMember: linksByMember(links), lengths: new Map(), findings: [] }
  for (const start of walk.byMember.keys()) measure(start, walk)
  return walk.findings
}

function linksByMember(links: readonly RoleLink[]): Map<string, RoleLink[]> {
  const byMember = new Map<string, RoleLink[]>()
  for (const link of links) {
    const others = byMember.get(link.member)
    if (others === undefined) byMember.set(link.member, [link])
    else others.push(link)
  }
  return byMember
}

interface Walk {
  readonly byMember: ReadonlyMap<string, readonly RoleLink[]>
  /** Links from a member to the farthest role that it holds. */
  readonly lengths: Map<string, number | 'underWay'>
  readonly findings: Finding[]
}

interface Step {
  readonly member: string
  /** The next of its links to follow. */
  next: number
  /** Links to the farthest role found so far. */
  length: number
}

/** Depth first with a stack of its own: a file may hold a chain longer than the engine's stack. */
function measure(start: string, walk: Walk): void {
  const path: Step[] = []
  const enter = (member: string): void => {
    walk.lengths.set(member, 'underWay')
    path.push({ member, next: 0, length: 0 })
  }
  if (!walk.lengths.has(start)) enter(start)
  for (let here = path.at(-1); here !== undefined; here = path.at(-1)) {
    const link = walk.byMember.get(here.member)?.[here.next]
    if (link === undefined) {
      path.pop()
      walk.lengths.set(here.member, here.length)
      continue
    }
    const length = walk.lengths.get(link.role)
    if (length === undefined) {
      // Followed again, its length known, when the path comes back here.
      enter(link.role)
      continue
    }
    here.next++
    follow(here, { link, length, findings: walk.findings })
  }
}

interface Followed {
  readonly link: RoleLink
  readonly length: number | 'underWay'
  readonly findings: Finding[]
}

function follow(here: Step, { link, length, findings }: Followed): void {
  if (length === 'underWay') {
    findings.push(refusal(link, `${link.role} contains itself: take out this line or another of the circle`))
  } else if (length + 1 > ROLE_CHAIN_MAX) {
    findings.push(
      refusal(link, `more than ${ROLE_CHAIN_MAX} links follow one another from here: grant the last role directly`),
    )
  } else {
    here.length = Math.max(here.length, length + 1)
  }
}

const refusal = ({ origin }: RoleLink, message: string): Finding => ({
  severity: 'error',
  file: origin.file,
  line: origin.line,
  message,
})
