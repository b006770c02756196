"""confluent-kafka: librdkafka from Python."""

import logging
import sys

from confluent_kafka import Consumer, KafkaException, Producer

from job import Job, Reading, RetryLog, read, sent

job = Job.read()
log = logging.getLogger("librdkafka")
log.setLevel(logging.DEBUG)
log.addHandler(RetryLog("retry", "retrying"))
connection = {"bootstrap.servers": ",".join(job.bootstrap), "client.id": "confluent"}
if job.ca:
    connection |= {"security.protocol": "ssl", "ssl.ca.location": job.ca}


def fail(error):
    if error is not None:
        raise KafkaException(error)


def produce():
    producer = Producer(
        connection
        | {
            "acks": "all",
            "enable.idempotence": job.idempotent,
            "linger.ms": 5,
            "debug": "msg",
            # Without idempotence the library keeps the order of a partition only with one request in flight.
            **({} if job.idempotent else {"max.in.flight.requests.per.connection": 1}),
        },
        logger=log,
    )
    for i in range(job.records):
        key, value, timestamp, headers = job.record(i)

        def delivered(error, message, i=i):
            fail(error)
            sent(i, message.partition(), message.offset())

        while True:
            try:
                producer.produce(
                    job.topic, value, key, timestamp=timestamp, headers=headers, on_delivery=delivered
                )
                break
            except BufferError:
                producer.poll(0.1)
        producer.poll(0)
        job.pace(i)
    if producer.flush(60) > 0:
        raise RuntimeError("not everything was delivered within a minute")


def consume():
    consumer = Consumer(connection | {"group.id": job.group, "auto.offset.reset": "earliest"}, logger=log)
    consumer.subscribe([job.topic])
    reading = Reading(job)
    while reading.goes_on():
        for message in consumer.consume(500, 0.1):
            fail(message.error())
            headers = message.headers() or []
            read(message.partition(), message.offset(), message.timestamp()[1], message.key(), message.value(), headers)
            reading.seen(headers)
    consumer.commit(asynchronous=False)
    consumer.close()


produce()
consume()
sys.stdout.flush()
