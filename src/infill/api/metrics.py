"""What /metrics tells Prometheus; every app has a registry of its own."""

import time
from collections.abc import Iterator
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily

from infill.api.bodies import App, Message, Receive, Scope, Send
from infill.jobs import Job, Pool
from infill.jobs.pool import LANES

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300)


class Metrics:
    """Counts requests and jobs, and looks at the pool when it is asked."""

    def __init__(self, pool: Pool) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "infill_requests",
            "HTTP requests answered.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._latency = Histogram(
            "infill_request_seconds",
            "Seconds from a request to the end of its answer.",
            ("route",),
            buckets=SECONDS,
            registry=self.registry,
        )
        self._jobs = Counter(
            "infill_jobs", "Jobs that ended.", ("kind", "engine", "state"), registry=self.registry
        )
        self._work = Histogram(
            "infill_job_seconds",
            "Seconds that a worker spent on a job.",
            ("kind", "engine"),
            buckets=SECONDS,
            registry=self.registry,
        )
        self.registry.register(_PoolGauges(pool))

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """One request was answered."""
        known = method if method in ("GET", "POST", "DELETE", "OPTIONS", "HEAD") else "other"
        self._requests.labels(known, route, str(status)).inc()
        self._latency.labels(route).observe(seconds)

    def follow(self, job: Job, kind: str, engine: str) -> None:
        """Count the job when it ends."""
        counted = False

        def look() -> None:
            nonlocal counted
            if not job.over or counted:
                return
            counted = True
            self._jobs.labels(kind, engine, job.state).inc()
            if job.started is not None and job.ended is not None:
                self._work.labels(kind, engine).observe(job.ended - job.started)

        job.listen(look)
        look()

    def text(self) -> bytes:
        """The whole, in Prometheus' text format."""
        return generate_latest(self.registry)


class _PoolGauges:
    """The pool's own numbers, read when they are asked for."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def collect(self) -> Iterator[Any]:
        waiting = GaugeMetricFamily("infill_jobs_waiting", "Jobs in the queue.", labels=["lane"])
        for lane in LANES:
            waiting.add_metric([lane], self._pool.waiting(lane))
        yield waiting
        yield GaugeMetricFamily(
            "infill_jobs_running", "Jobs being worked on.", self._pool.running()
        )
        yield GaugeMetricFamily(
            "infill_kept_bytes", "Bytes of photos and results in memory.", self._pool.kept_bytes()
        )
        yield GaugeMetricFamily("infill_workers", "Worker processes alive.", len(self._pool.pids()))


class Measured:
    """Counts every request by its route, not by its path: paths are endless."""

    def __init__(self, app: App, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note)
        finally:
            route = getattr(scope.get("route"), "path", "") or "other"
            seconds = time.perf_counter() - started
            self._metrics.request(scope["method"], route, status, seconds)
