"""librdkafka: asks for metadata once for each case, all at the same time, and says what the application was told."""

import json
import sys
import threading
import time

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

job = json.load(sys.stdin)
mutex = threading.Lock()


def told(case):
    errors = []

    def on_error(error):
        errors.append(f"{error.name()}: {error.str()}")

    properties = {**case["properties"], "error_cb": on_error, "log_level": 0}
    token = case.get("token")
    if token is not None:
        properties["oauth_cb"] = lambda _: (token, time.time() + 3600)
    admin = AdminClient(properties)
    try:
        # The error callback is run by whoever polls, and a listing waits without.
        until = time.monotonic() + job["timeoutMs"] / 1000
        while time.monotonic() < until:
            admin.poll(0.2)
            try:
                admin.list_topics(timeout=0.5)
                return []
            except KafkaException as failure:
                last = failure.args[0]
            if any(name in error for error in errors for name in ("_AUTHENTICATION", "_SSL")):
                break
        return [*errors, f"{last.name()}: {last.str()}"]
    except KafkaException as failure:
        return [*errors, str(failure)]


def run(case):
    errors = told(case)
    with mutex:
        print(json.dumps({"case": case["name"], "errors": errors}), flush=True)


threads = [threading.Thread(target=run, args=(case,)) for case in job["cases"]]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
