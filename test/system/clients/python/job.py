"""What to do and how to report it, as described in ../README.md."""

import base64
import json
import logging
import sys
import time

KEYS = 97


class Job:
    def __init__(self, text):
        self.__dict__.update(json.loads(text))

    @staticmethod
    def read():
        return Job(sys.stdin.read())

    def record(self, i):
        key = f"k-{i % KEYS}"
        value = f"{self.topic}|{key}|{i // KEYS}|{i}|" + "x" * (i % 200)
        headers = [("n", str(i).encode()), ("trace", bytes([0, 0xFF, i & 0xFF]))]
        return key.encode(), value.encode(), self.firstTimestamp + 3 * i, headers

    def pace(self, i):
        if self.perSecond > 0 and i % 50 == 49:
            time.sleep(50 / self.perSecond)


def line(**fields):
    print(json.dumps(fields))


def sent(i, partition, offset):
    line(sent=i, partition=partition, offset=offset)
    if i % 50 == 0:
        sys.stdout.flush()


def text(data):
    return None if data is None else base64.b64encode(data).decode()


def read(partition, offset, timestamp, key, value, headers):
    pairs = [[name, text(data)] for name, data in headers]
    line(read=dict(partition=partition, offset=offset, timestamp=timestamp, key=text(key), value=text(value), headers=pairs))


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

    def __init__(self, *words):
        super().__init__(logging.DEBUG)
        self.words = words

    def emit(self, record):
        message = record.getMessage()
        if any(word in message.lower() for word in self.words):
            line(retry=message)
