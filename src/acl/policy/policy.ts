/**
 * What the rest of the gateway knows of policies: somebody asks, a policy answers. How it comes to its answer (an index of
 * the shipped models, or casbin for a model of the user's own) is behind this interface.
 */

export type ResourceType = 'topic' | 'group' | 'transactionalId' | 'cluster' | 'delegationToken' | 'user'

export type Operation =
  | 'read'
  | 'write'
  | 'create'
  | 'delete'
  | 'alter'
  | 'describe'
  | 'describeConfigs'
  | 'alterConfigs'
  | 'clusterAction'
  | 'idempotentWrite'
  | 'twoPhaseCommit'
  | 'createTokens'
  | 'describeTokens'

/** Who asks. `principal` is `User:alice`; `host` the client's IP address. */
export interface Subject {
  readonly principal: string
  readonly host: string
  readonly listener: string
  readonly clientId: string
}

/** One operation on one resource. A question that the gateway asks for itself carries the API of the request that caused it. */
export interface Question {
  /** The API key's name: `Produce`. */
  readonly api: string
  readonly operation: Operation
  readonly type: ResourceType
  /** The resource's name, as it is: never a pattern. The cluster's is `kafka-cluster`. */
  readonly name: string
  /**
   * Rules by the API key's name count only when they deny. Said of what a request asks beside its purpose (Create in Metadata,
   * DescribeConfigs in CreateTopics, which count as secondary whether or not they say so) and of authorised-operations bits.
   */
  readonly secondary?: boolean
}

/** Where a rule stands, for people. */
export interface RuleOrigin {
  readonly file: string
  /** From 1. */
  readonly line: number
  /** The line as it stands in the file, without the space around it. */
  readonly text: string
}

/** Frozen, and shared between questions with the same answer: compare and keep, never change. */
export interface Verdict {
  readonly allowed: boolean
  /** The rule that decided: the first of the file that denies, else the first that allows. */
  readonly rule?: RuleOrigin
  /**
   * What decided: a rule; that no rule allows (`default`); that the principal is a super user; or that the engine could not
   * answer (`error`), which is a denial.
   */
  readonly why: 'rule' | 'default' | 'superUser' | 'error'
}

/** One immutable state of the rules: a request is judged by exactly one. Neither question throws or waits. */
export interface Policy {
  /** Differs between any two policies that were in force: what is remembered of a verdict is remembered with it. */
  readonly generation: number
  decide(subject: Subject, question: Question): Verdict
  /**
   * May this subject do `operation` on at least one resource of `type`? As StandardAuthorizer.authorizeByResourceType says,
   * which InitProducerId asks for idempotence without a transaction.
   */
  decideAny(subject: Subject, question: Omit<Question, 'name'>): Verdict
  /** Of a topic that brokers keep what is theirs in: a rule has to name it, and no right on the cluster reaches it. */
  mustBeNamed(topic: string): boolean
  /** False where a verdict depends on the principal and the question alone, so that a cache may forget who else asked. */
  readonly dependsOnMoreThanPrincipal: boolean
}

/** Called for everything thrown inside a policy; the answer was a denial. */
export type OnPolicyError = (error: unknown, subject: Subject, question: Omit<Question, 'name'>) => void
