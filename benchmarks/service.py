"""How fast ``inktex serve`` is, and how it bears load; writes benchmarks/results/service.json.

python benchmarks/service.py [DATA.parquet] [--count N] [--requests N] [--memory N] [--threads N]
    [--name service]

On loopback, the clients on the same cores: they are one process of asyncio, whose share of the processor time
is stated. By turns with the recognizer itself (``recognize_many`` of the same pictures, as many threads):

- ``rates``: requests a second, their median and 95th percentile, at 1, 8 and 32 clients that each wait for
  their answer; and what that is of the recognizer's own rate;
- ``two_workers``: the same at 32 clients with two worker processes of one thread each;
- ``memory_mb``: of the service, after a tenth of the requests and after all of them;
- ``overload``: requests at twice the rate that it holds, however slowly they are answered: how many were
  read, how many refused, how soon, and whether any got no answer;
- ``sigterm``: 32 clients ask when the service is told to stop: what it accepted and what was answered;
- ``killed_worker``: 16 clients ask two workers when one is killed: how many connections ended, and how long
  it took until there were two again.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from inktex import Recognizer
from recognition import read_pictures, seconds
from record import write_record
from service_load import Answer, Service, closed_loop, open_loop, request_of, serving

CLIENTS = (1, 8, 32)
MANY = CLIENTS[-1]


def spread_ms(answers: Sequence[Answer]) -> dict[str, float]:
    """Return median, 95th percentile and maximum of what answers took, in milliseconds."""
    times = 1000 * np.array([answer.seconds for answer in answers])
    if not len(times):
        return {}
    return {
        "median": round(float(np.median(times)), 1),
        "p95": round(float(np.quantile(times, 0.95)), 1),
        "max": round(float(times.max()), 1),
    }


def statuses(answers: Sequence[Answer]) -> dict[str, int]:
    """Count answers by status; 0 is a connection that was closed."""
    return {str(status): count for status, count in sorted(Counter(each.status for each in answers).items())}


def rate(service: Service, requests: Sequence[bytes], clients: int, count: int) -> dict[str, Any]:
    """Return requests a second of so many clients, and what they took."""
    closed_loop(service.port, requests, clients, max(clients, count // 10))  # warm
    service_s, client_s, started = service.cpu_s(), time.process_time(), time.perf_counter()
    answers = closed_loop(service.port, requests, clients, count)
    wall_s = time.perf_counter() - started
    service_s, client_s = service.cpu_s() - service_s, time.process_time() - client_s
    return {
        "requests_per_s": round(count / wall_s, 2),
        "ms": spread_ms(answers),
        "statuses": statuses(answers),
        "clients_share_of_processor": round(client_s / (client_s + service_s), 4),
        "cores_used": round((client_s + service_s) / wall_s, 2),
    }


def rates(options: argparse.Namespace, pictures: Sequence[bytes], recognizer: Recognizer) -> dict[str, Any]:
    """Time the service with one worker and with two, and the recognizer before, between and after."""
    requests = [request_of(picture) for picture in pictures]
    alone = [len(pictures) / seconds(recognizer.recognize_many, pictures)]
    found: dict[str, Any] = {}
    one = ("--workers", "1", "--threads", str(options.threads))
    two = ("--workers", "2", "--threads", "1")
    for name, arguments, levels in (("rates", one, CLIENTS), ("two_workers", two, (MANY,))):
        with serving(*arguments) as service:
            found[name] = {
                str(clients): rate(service, requests, clients, options.requests) for clients in levels
            }
        alone.append(len(pictures) / seconds(recognizer.recognize_many, pictures))
    itself = statistics.median(alone)
    for level in (*found["rates"].values(), *found["two_workers"].values()):
        level["of_recognize_many"] = round(level["requests_per_s"] / itself, 3)
    return {"recognize_many_per_s": [round(each, 2) for each in alone], **found}


def memory(options: argparse.Namespace, requests: Sequence[bytes]) -> dict[str, Any]:
    """Return the memory of the service after a tenth of the requests, and after all."""
    with serving("--threads", str(options.threads)) as service:
        start = service.memory_mb()
        closed_loop(service.port, requests, MANY, options.memory // 10)
        early = service.memory_mb()
        closed_loop(service.port, requests, MANY, options.memory - options.memory // 10)
        late = service.memory_mb()
    return {"requests": options.memory, "start": start, "after_a_tenth": early, "after_all": late}


def overload(options: argparse.Namespace, requests: Sequence[bytes], held_per_s: float) -> dict[str, Any]:
    """Ask for twice of what the service holds."""
    with serving("--threads", str(options.threads)) as service:
        closed_loop(service.port, requests, MANY, MANY)
        answers = open_loop(service.port, requests, 2 * held_per_s, options.requests)
    return {
        "requests_per_s": round(2 * held_per_s, 1),
        "statuses": statuses(answers),
        "read_ms": spread_ms([answer for answer in answers if answer.status == 200]),
        "refused_ms": spread_ms([answer for answer in answers if answer.status == 503]),
    }


def sigterm(options: argparse.Namespace, requests: Sequence[bytes]) -> dict[str, Any]:
    """Stop a service that is asked by many, and compare its log with what the clients were answered."""
    with serving("--threads", str(options.threads)) as service:
        closed_loop(service.port, requests, MANY, MANY)
        threading.Timer(1.0, service.process.send_signal, (signal.SIGTERM,)).start()
        answers = closed_loop(service.port, requests, MANY, options.requests)
        service.process.wait(60)
    time.sleep(0.2)
    logged = sum(line.get("status") == 200 and line["path"] == "/api/v1/recognize" for line in service.log)
    return {
        "accepted": logged - MANY,
        "answered": statuses(answers).get("200", 0),
        "exit_code": service.process.returncode,
    }


def killed_worker(requests: Sequence[bytes], count: int) -> dict[str, Any]:
    """Kill one of two workers that are asked."""
    took: list[float] = []

    def kill() -> None:
        before = service.workers()
        os.kill(before[0], signal.SIGKILL)
        started = time.perf_counter()
        while len(new := set(service.workers()) - set(before)) < 1:
            time.sleep(0.01)
        while not service.up() & new:
            time.sleep(0.01)
        took.append(time.perf_counter() - started)

    with serving("--workers", "2", "--threads", "1") as service:
        closed_loop(service.port, requests, MANY, 2 * MANY)
        killer = threading.Timer(1.0, kill)
        killer.start()
        answers = closed_loop(service.port, requests, 16, count)
        killer.join()
    return {"statuses": statuses(answers), "seconds_until_the_new_one_was_up": round(took[0], 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description="Time the service on loopback, and load it.")
    parser.add_argument("data", type=Path, nargs="?", help="data set with pictures (default: the examples)")
    parser.add_argument("--count", type=int, default=100, help="pictures, evenly spaced (default: 100)")
    parser.add_argument("--requests", type=int, default=1000, help="of each measurement (default: 1000)")
    parser.add_argument("--memory", type=int, default=10_000, help="requests while memory is watched")
    parser.add_argument("--threads", type=int, default=2, help="of recognizer and service (default: 2)")
    parser.add_argument("--name", default="service", help="of the result file")
    options = parser.parse_args()

    pictures = read_pictures(options.data, options.count)
    requests = [request_of(picture) for picture in pictures]
    found = rates(options, pictures, Recognizer(threads=options.threads))
    held_per_s = found["rates"][str(MANY)]["requests_per_s"]
    write_record(
        options.name,
        {
            "data": options.data.name if options.data else "examples",
            "pictures": len(pictures),
            "threads": options.threads,
            "requests": options.requests,
            **found,
            "memory_mb": memory(options, requests),
            "overload": overload(options, requests, held_per_s),
            "sigterm": sigterm(options, requests),
            "killed_worker": killed_worker(requests, options.requests),
        },
    )


if __name__ == "__main__":
    main()
