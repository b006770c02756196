"""What to do and how to report it, as described in ../README.md."""

import base64
import json
import logging
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

KEYS = 97


class Job:
    def __init__(self, fields):
        self.__dict__.update({"ca": None, "certificate": None, "sasl": None, "together": False} | fields)

    def record(self, i):
        key = f"k-{i % KEYS}"
        value = f"{self.topic}|{key}|{i // KEYS}|{i}|" + "x" * (i % 200)
        headers = [("n", str(i).encode()), ("trace", bytes([0, 0xFF, i & 0xFF]))]
        return key.encode(), value.encode(), self.firstTimestamp + 3 * i, headers

    def pace(self, i):
        if self.perSecond > 0 and i % 50 == 49:
            time.sleep(50 / self.perSecond)


class Report:
    def __init__(self, **start):
        self.start = start

    def line(self, **fields):
        # One write for a whole line: several threads report.
        sys.stdout.write(json.dumps(self.start | fields) + "\n")

    def sent(self, i, partition, offset):
        self.line(sent=i, partition=partition, offset=offset)
        if i % 50 == 0:
            sys.stdout.flush()

    def read(self, partition, offset, timestamp, key, value, headers):
        pairs = [[name, text(data)] for name, data in headers]
        place = dict(partition=partition, offset=offset, timestamp=timestamp)
        self.line(read=place | dict(key=text(key), value=text(value), headers=pairs))

    def fact(self, name, value):
        self.line(fact=name, value=value)


def text(data):
    return None if data is None else base64.b64encode(data).decode()


def run(produce, consume):
    """Does what standard input says: one job, or many at a time."""
    todo = json.loads(sys.stdin.read())
    if "jobs" not in todo:
        one(produce, consume, Job(todo), Report())
    else:
        with ThreadPoolExecutor(todo["parallel"]) as threads:
            for number, fields in enumerate(todo["jobs"]):
                threads.submit(one_of_many, produce, consume, Job(fields), Report(job=number))
    sys.stdout.flush()


def one(produce, consume, job, report):
    if not job.together:
        produce(job, report)
        consume(job, report)
        return
    with ThreadPoolExecutor(1) as threads:
        reading = threads.submit(consume, job, report)
        produce(job, report)
        reading.result()


def one_of_many(produce, consume, job, report):
    """One that fails says so, and the others go on."""
    try:
        one(produce, consume, job, report)
    except BaseException:
        report.fact("failed", traceback.format_exc())
    report.fact("ended", True)
    sys.stdout.flush()


class Reading:
    """Says when a consumer has read enough."""

    def __init__(self, job):
        self.missing = set(range(job.records))
        self.last = time.monotonic()

    def seen(self, headers):
        self.last = time.monotonic()
        for name, data in headers:
            if name == "n":
                self.missing.discard(int(data))

    def goes_on(self):
        return time.monotonic() - self.last < (60 if self.missing else 1)


class RetryLog(logging.Handler):
    """Hands on what a library logs about sending something again."""

    def __init__(self, report, *words):
        super().__init__(logging.DEBUG)
        self.report = report
        self.words = words

    def emit(self, record):
        message = record.getMessage()
        if any(word in message.lower() for word in self.words):
            self.report.line(retry=message)
