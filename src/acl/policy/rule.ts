/** One line of a rules file under a shipped model, its words checked. */
import type { ResourceType, RuleOrigin } from './policy.ts'

export interface Rule {
  /** `User:alice`, `role:orders-writer`, or `*`. */
  readonly who: string
  readonly type: ResourceType
  /** As written: see name-pattern.ts. */
  readonly name: string
  /** An operation, an API key's name, or `*`. */
  readonly act: string
  readonly effect: 'allow' | 'deny'
  /** As written: see host-pattern.ts. `*` under the model without hosts. */
  readonly host: string
  readonly origin: RuleOrigin
}

/** `g, User:alice, role:orders-writer` */
export interface RoleLink {
  readonly member: string
  readonly role: string
  readonly origin: RuleOrigin
}

/** Everything a shipped model needs to decide; rules and links in the order of the files. */
export interface RuleSet {
  readonly rules: readonly Rule[]
  readonly links: readonly RoleLink[]
}
