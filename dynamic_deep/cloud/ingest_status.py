# SPDX-License-Identifier: Apache-2.0
"""What a running receiver tells about itself, in numbers."""

from __future__ import annotations

from dynamic_deep.cloud.ingest import Ingest
from dynamic_deep.cloud.ingest_metrics import (
    Metric,
    as_text,
    counter,
    gauge,
    resident_bytes,
)

VERDICTS = ("accepted", "duplicate", "quarantined")


def metrics_text(ingest: Ingest) -> str:
    """Return the page /metrics."""
    return as_text([*_intake(ingest), *_output(ingest)])


def _intake(ingest: Ingest) -> list[Metric]:
    counts = ingest.inbox.counters()
    link = ingest.link
    verdicts = {f'verdict="{v}"': float(counts.get(v, 0)) for v in VERDICTS}
    return [
        Metric(
            name="messages_total",
            kind="counter",
            meaning="Messages made durable since the state folder was made.",
            values=verdicts,
        ),
        counter("acks_total", "Acknowledgements sent to devices.", link.n_acks),
        counter("commits_total", "Commits of messages.", ingest.n_commits),
        counter("commit_seconds_total", "Time spent in commits.", ingest.commit_s),
        counter("connects_total", "Connections to the broker.", link.n_connects),
        gauge("connected", "1 if messages can come.", link.is_connected),
        gauge("writable", "1 if the disk takes messages.", ingest.is_writable),
        gauge("queued_messages", "Messages not durable yet.", len(ingest.queue)),
        gauge(
            "last_message_timestamp_seconds",
            "When the last message came; 0: none since the start.",
            ingest.last_message_s,
        ),
        gauge("resident_bytes", "Memory of the process.", resident_bytes()),
    ]


def _output(ingest: Ingest) -> list[Metric]:
    publisher, state = ingest.publisher, ingest.rounds.state
    return [
        counter("sessions_total", "Sessions put whole.", publisher.n_sessions),
        counter(
            "unknown_time_sessions_total",
            "Of these, sessions whose device did not know the time.",
            publisher.n_unknown_time,
        ),
        counter("objects_put_total", "Objects written.", publisher.n_puts),
        counter("object_bytes_total", "Bytes of these.", publisher.n_put_bytes),
        counter("store_errors_total", "Failed writes.", state.n_store_errors),
        gauge("store_ok", "1 if the store takes objects.", not state.trouble),
        gauge("waiting_sessions", "Sessions ready and not put.", state.n_waiting),
        gauge("stuck_sessions", "Sessions that can't be put.", state.n_stuck),
    ]
