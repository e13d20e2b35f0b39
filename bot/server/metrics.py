"""metrics: what does this process count about itself?"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from bot.reception import Answered
from storage.writer import Busy

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(slots=True)
class Handling:
    """An event that is being handled; its outcome is `answered`, `again`, `broken`, `busy`, `refused` or `error`."""

    outcome: str = "answered"

    def note(self, answered: Answered) -> None:
        self.outcome = "broken" if answered.broken else "again" if answered.again else "answered"


class Metrics:
    """Numbers for Prometheus, in a registry of their own: nothing here is about a person."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        events = Counter(
            "tiexin_events", "Events received, by channel and outcome.", ["channel", "outcome"],
            registry=self._registry,
        )  # fmt: skip
        self._event = cache(events.labels)  # found anew for every tap, it costs more than the counting
        self._seconds = Histogram(
            "tiexin_handling_seconds", "From an event's arrival to its commit.", ["channel"], registry=self._registry,
            buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
        )  # fmt: skip
        self._errors = Counter("tiexin_errors", "Errors of ours, by place.", ["place"], registry=self._registry)
        self.deliveries = Gauge(
            "tiexin_deliveries", "Deliveries, by channel and state.", ["channel", "state"], registry=self._registry
        )
        self.waiting = Gauge("tiexin_queue_depth", "Deliveries that are due and wait.", registry=self._registry)
        self.unexpanded = Gauge(
            "tiexin_campaigns_waiting", "Campaigns due and not expanded.", registry=self._registry
        )
        self.streams = Gauge("tiexin_web_streams", "Browsers that are listening.", registry=self._registry)

    @contextmanager
    def handling(self, channel: str) -> Iterator[Handling]:
        """Count and time one event, whatever becomes of it."""
        handling, start = Handling(), time.perf_counter()
        try:
            yield handling
        except Busy:
            handling.outcome = "busy"
            raise
        except Exception:
            if handling.outcome == "answered":
                handling.outcome = "error"
            raise
        finally:
            self._seconds.labels(channel).observe(time.perf_counter() - start)
            self._event(channel, handling.outcome).inc()
            if handling.outcome in ("broken", "error"):
                self.error(channel)

    def note(self, channel: str, outcome: str) -> None:
        """Count an event that a channel has handled by itself."""
        self._event(channel, outcome).inc()

    def error(self, place: str) -> None:
        self._errors.labels(place).inc()

    def text(self) -> bytes:
        """Everything, as Prometheus reads it."""
        return generate_latest(self._registry)
