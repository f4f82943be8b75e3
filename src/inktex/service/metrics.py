"""What the service counts, for Prometheus."""

from __future__ import annotations

import os
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess

SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # where worker processes put their counts together
_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6)
_SIZES = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """Counters of one service; in several worker processes they are put together when they are asked for."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "inktex_requests", "Requests answered.", ("route", "status"), registry=self._registry
        )
        self.seconds = Histogram(
            "inktex_request_seconds",
            "From a request's head to its answer's end.",
            ("route",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.batch_size = Histogram(
            "inktex_batch_size", "Requests that were read together.", buckets=_SIZES, registry=self._registry
        )
        self.batch_seconds = Histogram(
            "inktex_batch_seconds", "What a batch took to read.", buckets=_SECONDS, registry=self._registry
        )
        self.pending = Gauge(
            "inktex_pending",
            "Requests that wait or are being read.",
            multiprocess_mode="livesum",
            registry=self._registry,
        )

    def observe_request(self, route: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        self.requests.labels(route, str(status)).inc()
        self.seconds.labels(route).observe(seconds)

    def observe_batch(self, size: int, seconds: float) -> None:
        """Count a batch that was read."""
        self.batch_size.observe(size)
        self.batch_seconds.observe(seconds)

    def text(self) -> bytes:
        """Return all of them in Prometheus' text format."""
        shared = os.environ.get(SHARED_FOLDER)
        if shared is None:
            return generate_latest(self._registry)
        for file in Path(shared).glob("gauge_live*.db"):
            process = int(file.stem.rpartition("_")[2])
            if not _lives(process):
                multiprocess.mark_process_dead(process, shared)  # type: ignore[no-untyped-call]
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry, shared)  # type: ignore[no-untyped-call]
        return generate_latest(registry)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
