/** The texts that Kafka puts beside an error code where an answer has room for one (org.apache.kafka.common.protocol.Errors). */
import { ErrorCode } from '../protocol/error-code.ts'

const messages: Readonly<Record<number, string>> = {
  [ErrorCode.TOPIC_AUTHORIZATION_FAILED]: 'Topic authorization failed.',
  [ErrorCode.GROUP_AUTHORIZATION_FAILED]: 'Group authorization failed.',
  [ErrorCode.CLUSTER_AUTHORIZATION_FAILED]: 'Cluster authorization failed.',
  [ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED]: 'Transactional Id authorization failed.',
  [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]: 'This server does not host this topic-partition.',
  [ErrorCode.UNKNOWN_TOPIC_ID]: 'This server does not host this topic ID.',
  [ErrorCode.INVALID_REQUEST]:
    'This most likely occurs because of a request being malformed by the client library or the message was sent to an incompatible broker. See the broker logs for more details.',
  [ErrorCode.FENCED_MEMBER_EPOCH]:
    'The member epoch is fenced by the group coordinator. The member must abandon all its partitions and rejoin.',
}

export function errorMessage(errorCode: number): string | null {
  return messages[errorCode] ?? null
}
