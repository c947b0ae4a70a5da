"""Three brokers of librdkafka's mock cluster, for other processes: it lives as long as its process.

Prints where they listen, and obeys the lines that it reads. Python's client has no words for most of that, so
the library inside it is called.
"""

import ctypes
import sys
from pathlib import Path

import confluent_kafka

BROKERS = 3
REBALANCE = 100
"""Milliseconds that a new group waits for more readers."""


def library() -> ctypes.CDLL:
    beside = Path(confluent_kafka.__file__).parent.parent / "confluent_kafka.libs"
    inside = Path(confluent_kafka.__file__).parent / ".dylibs"
    found = [*beside.glob("librdkafka*"), *inside.glob("librdkafka*")]
    return ctypes.CDLL(str(found[0]))


def main() -> None:
    kafka, pointer = library(), ctypes.c_void_p
    for name in ("rd_kafka_conf_new", "rd_kafka_new", "rd_kafka_mock_cluster_new"):
        getattr(kafka, name).restype = pointer
    kafka.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p
    words = ctypes.create_string_buffer(512)
    owner = pointer(kafka.rd_kafka_new(0, pointer(kafka.rd_kafka_conf_new()), words, len(words)))
    cluster = pointer(kafka.rd_kafka_mock_cluster_new(owner, BROKERS))
    kafka.rd_kafka_mock_group_initial_rebalance_delay_ms(cluster, REBALANCE)
    print(kafka.rd_kafka_mock_cluster_bootstraps(cluster).decode(), flush=True)
    for line in sys.stdin:
        match line.split():
            case ["topic", name, count]:
                assert not kafka.rd_kafka_mock_topic_create(cluster, name.encode(), int(count), BROKERS)
            case ["down" | "up" as way]:
                change = getattr(kafka, f"rd_kafka_mock_broker_set_{way}")
                assert not sum(change(cluster, number) for number in range(1, BROKERS + 1))
        print("done", flush=True)


if __name__ == "__main__":
    main()
