// The records of the throughput rows: 1 KiB each, in batches of 64 KiB.
const recordBytes = 1024

/** Arguments of ProducerPerformance. */
export function producerLoad(records: number): string[] {
  const size = ['--num-records', String(records), '--record-size', String(recordBytes), '--throughput', '-1']
  return [...size, '--command-property', 'batch.size=65536', 'linger.ms=10', 'acks=1', 'compression.type=none']
}

export function perGibibyte(value: number, records: number): number {
  return value / ((records * recordBytes) / 2 ** 30)
}
