"""kafka-python: the protocol in pure Python."""

import logging

from kafka import KafkaConsumer, KafkaProducer

from job import Reading, RetryLog, run


def connection(job):
    settings = {"bootstrap_servers": job.bootstrap, "client_id": "kafka-python"}
    return settings | ({"security_protocol": "SSL", "ssl_cafile": job.ca} if job.ca else {})


def produce(job, report):
    log = logging.getLogger("kafka.producer")
    log.setLevel(logging.DEBUG)
    log.addHandler(RetryLog(report, "retrying", "re-enqueu"))
    producer = KafkaProducer(
        **connection(job),
        acks="all",
        enable_idempotence=job.idempotent,
        max_in_flight_requests_per_connection=5 if job.idempotent else 1,
        retries=100,
        retry_backoff_ms=100,
        request_timeout_ms=5000,
        linger_ms=5,
    )
    futures = []
    for i in range(job.records):
        key, value, timestamp, headers = job.record(i)
        future = producer.send(job.topic, value, key, headers=headers, timestamp_ms=timestamp)
        future.add_callback(lambda stored, i=i: report.sent(i, stored.partition, stored.offset))
        futures.append(future)
        job.pace(i)
    producer.flush(60)
    for future in futures:
        future.get(timeout=60)
    producer.close()


def consume(job, report):
    consumer = KafkaConsumer(job.topic, **connection(job), group_id=job.group, auto_offset_reset="earliest")
    reading = Reading(job)
    while reading.goes_on():
        for records in consumer.poll(100).values():
            for record in records:
                report.read(
                    record.partition, record.offset, record.timestamp, record.key, record.value, record.headers
                )
                reading.seen(record.headers)
    consumer.commit()
    consumer.close()


run(produce, consume)
