/** Topics that come into being without a CreateTopics: by being asked for, or for a streams group. */
import type { Judge } from './judge.ts'
import { cluster, clusterName, topic } from './rights.ts'

/** Of `names`, those that the client may create neither by a right on the topic nor by the one on the cluster. */
export function uncreatable(names: readonly string[], judge: Judge): string[] {
  const mayAll = names.length > 0 && judge.grantsBeside(cluster.create, clusterName)
  return names.filter(name => !(mayAll && !judge.policy.mustBeNamed(name)) && !judge.grantsBeside(topic.create, name))
}

/** Writes down by which right a topic could be created. */
export function noteCreation(name: string, judge: Judge): void {
  judge.uses([topic.create, name], [cluster.create, clusterName])
}
