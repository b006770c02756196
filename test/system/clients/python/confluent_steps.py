"""confluent-kafka: librdkafka from Python, told step by step what to do."""

import json
import sys
import time

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from job import Report

REPORT = Report()
POLL = 0.05
# Whatever takes longer is a hang.
PATIENCE = 8


class Answer:
    def __init__(self):
        self.started = time.monotonic()
        self.stored = {}
        self.read = {}
        self.errors = set()

    def failed(self, error, about):
        self.errors.add(f"{error.name()} {about}")

    def json(self):
        took = round((time.monotonic() - self.started) * 1000)
        return dict(stored=self.stored, read=self.read, errors=sorted(self.errors), tookMs=took)


def count(counts, topic):
    counts[topic] = counts.get(topic, 0) + 1


def connection_of(step):
    return {
        "bootstrap.servers": ",".join(step["bootstrap"]),
        "client.id": "confluent",
        "security.protocol": "ssl",
        "ssl.ca.location": step["ca"],
        "ssl.certificate.location": step["certificate"],
        "ssl.key.location": step["key"],
    }


def produce(step, answer):
    producer = Producer(
        connection_of(step)
        | {
            "enable.idempotence": True,
            "linger.ms": 500,
            "delivery.timeout.ms": PATIENCE * 1000,
            "error_cb": lambda error: answer.failed(error, "producer"),
        }
    )

    def delivered(error, message):
        if error is None:
            count(answer.stored, message.topic())
        else:
            answer.failed(error, message.topic())

    for i in range(step["records"]):
        for topic in step["topics"]:
            producer.produce(topic, f"{step['value']}{i}".encode(), on_delivery=delivered)
    if producer.flush(PATIENCE) > 0:
        answer.errors.add("neither delivered nor failed")


def transact(step, answer):
    producer = Producer(connection_of(step) | {"transactional.id": step["transactionalId"]})
    calling = "init_transactions"
    try:
        producer.init_transactions(PATIENCE)
        calling = "commit_transaction"
        producer.begin_transaction()
        for topic in step["topics"]:
            producer.produce(topic, b"in a transaction")
        producer.commit_transaction(PATIENCE)
        for topic in step["topics"]:
            count(answer.stored, topic)
    except KafkaException as thrown:
        answer.failed(thrown.args[0], calling)
        if calling == "commit_transaction":
            abort(producer, answer)


def abort(producer, answer):
    try:
        producer.abort_transaction(PATIENCE)
    except KafkaException as thrown:
        # It adds partitions as they come: whether one had been added before the denied one is a matter of microseconds,
        # and brokers refuse the end of a transaction without any.
        if thrown.args[0].name() != "INVALID_TXN_STATE":
            answer.failed(thrown.args[0], "abort_transaction")


def consumer_of(step, more):
    settings = {"group.id": step["group"], "auto.offset.reset": "earliest", "isolation.level": "read_committed"}
    return Consumer(connection_of(step) | settings | more)


def consume(step, answer):
    """Goes on for a while after it has seen what it waits for: does the library calm down?"""
    is_fatal = False

    def failed(error, about):
        nonlocal is_fatal
        is_fatal = is_fatal or error.fatal()
        answer.failed(error, about)

    consumer = consumer_of(step, {"error_cb": lambda error: failed(error, "consumer")})
    if "offset" in step:
        consumer.assign([TopicPartition(topic, 0, step["offset"]) for topic in step["topics"]])
    else:
        consumer.subscribe(step["topics"])
    end = time.monotonic() + step["forMs"] / 1000
    is_complete = False
    while time.monotonic() < end and not is_fatal:
        for message in consumer.consume(500, POLL):
            if message.error() is None:
                count(answer.read, message.topic())
            else:
                failed(message.error(), message.topic() or "consumer")
        enough = sum(answer.read.values()) >= step["records"] and len(answer.errors) >= step["errors"]
        if enough and not is_complete:
            is_complete = True
            end = min(end, time.monotonic() + step["thenMs"] / 1000)
    consumer.close()


def stream(step, _):
    """Until the program ends; says what happens as it happens."""
    rebalances = None

    def say(**fields):
        REPORT.line(**fields)
        sys.stdout.flush()

    def counted(statistics):
        nonlocal rebalances
        group = json.loads(statistics).get("cgrp", {})
        if group.get("rebalance_cnt") != rebalances:
            rebalances = group.get("rebalance_cnt")
            say(generation=rebalances)

    names = lambda partitions: sorted(each.topic for each in partitions)
    consumer = consumer_of(
        step,
        {
            "statistics.interval.ms": 200,
            "stats_cb": counted,
            "error_cb": lambda error: say(failed=[f"{error.name()} consumer"]),
        },
    )
    consumer.subscribe(
        step["topics"],
        on_assign=lambda _, partitions: say(assigned=names(partitions)),
        on_revoke=lambda _, partitions: say(revoked=names(partitions)),
        on_lost=lambda _, partitions: say(lost=names(partitions)),
    )
    while True:
        for message in consumer.consume(500, POLL):
            if message.error() is None:
                REPORT.line(read=message.topic(), value=message.value().decode())
            else:
                REPORT.line(failed=[f"{message.error().name()} {message.topic()}"])
        sys.stdout.flush()


def administer(step, answer):
    admin = AdminClient(connection_of(step))
    name = step["name"]
    calls = {
        "createTopic": lambda: admin.create_topics([NewTopic(name, 1, 1)], operation_timeout=PATIENCE),
        "deleteTopic": lambda: admin.delete_topics([name]),
        "describeGroup": lambda: admin.describe_consumer_groups([name], request_timeout=PATIENCE),
        "deleteGroup": lambda: admin.delete_consumer_groups([name], request_timeout=PATIENCE),
    }
    for future in calls[step["do"]]().values():
        try:
            future.result(PATIENCE)
        except KafkaException as thrown:
            answer.failed(thrown.args[0], step["do"])


DOES = {"produce": produce, "transact": transact, "consume": consume, "stream": stream}

connection = json.loads(sys.stdin.readline())
for text in sys.stdin:
    step = connection | json.loads(text)
    answer = Answer()
    DOES.get(step["do"], administer)(step, answer)
    REPORT.line(step=answer.json())
    sys.stdout.flush()
