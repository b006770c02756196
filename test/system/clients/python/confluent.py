"""confluent-kafka: librdkafka from Python."""

import base64
import json
import logging

from confluent_kafka import Consumer, KafkaException, Producer

from job import Reading, RetryLog, run


def connection(job, report):
    settings = {
        "bootstrap.servers": ",".join(job.bootstrap),
        "client.id": "confluent",
        "security.protocol": ("sasl_" if job.sasl else "") + ("ssl" if job.ca else "plaintext"),
        "error_cb": lambda error: report.fact("error", str(error)),
    }
    if job.ca:
        settings["ssl.ca.location"] = job.ca
    if job.certificate:
        settings |= {"ssl.certificate.location": job.certificate, "ssl.key.location": job.key}
    return settings | (login(job.sasl) if job.sasl else {})


def login(sasl):
    mechanism = {"sasl.mechanisms": sasl["mechanism"]}
    if sasl["mechanism"] == "OAUTHBEARER":
        return mechanism | {"oauth_cb": lambda _: token(sasl["tokenFile"])}
    return mechanism | {"sasl.username": sasl["username"], "sasl.password": sasl["password"]}


def token(path):
    """A token and its end, as the library wants them."""
    with open(path, encoding="ascii") as file:
        text = file.read().strip()
    claims = text.split(".")[1]
    return text, json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["exp"]


def log_of(report):
    log = logging.Logger("librdkafka")
    log.addHandler(RetryLog(report, "retrying"))
    return log


def fail(error):
    if error is not None:
        raise KafkaException(error)


def produce(job, report):
    producer = Producer(
        connection(job, report)
        | {
            "acks": "all",
            "enable.idempotence": job.idempotent,
            "linger.ms": 5,
            "debug": "msg",
            # Without idempotence the library keeps the order of a partition only with one request in flight.
            **({} if job.idempotent else {"max.in.flight.requests.per.connection": 1}),
        },
        logger=log_of(report),
    )
    for i in range(job.records):
        key, value, timestamp, headers = job.record(i)

        def delivered(error, message, i=i):
            fail(error)
            report.sent(i, message.partition(), message.offset())

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


def consume(job, report):
    # Committed at the end: a commit that comes by itself just before leaves nothing to commit, which is an error.
    group = {"group.id": job.group, "auto.offset.reset": "earliest", "enable.auto.commit": False}
    consumer = Consumer(connection(job, report) | group, logger=log_of(report))
    consumer.subscribe([job.topic])
    reading = Reading(job)
    while reading.goes_on():
        for message in consumer.consume(500, 0.1):
            fail(message.error())
            headers = message.headers() or []
            report.read(
                message.partition(), message.offset(), message.timestamp()[1], message.key(), message.value(), headers
            )
            reading.seen(headers)
    consumer.commit(asynchronous=False)
    consumer.close()


run(produce, consume)
