# SPDX-License-Identifier: Apache-2.0
"""`cloud ingest`: the receiver of a fleet, as a service."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from dynamic_deep.cli import text
from dynamic_deep.cli.failures import report
from dynamic_deep.cli.files import print_out
from dynamic_deep.cloud.embedded_broker import EMBEDDED, broker_at
from dynamic_deep.cloud.ingest import Ingest
from dynamic_deep.cloud.ingest_link import Login
from dynamic_deep.cloud.ingest_metrics import resident_bytes
from dynamic_deep.cloud.ingest_settings import IngestSettings
from dynamic_deep.cloud.ingest_status import VERDICTS, metrics_text
from dynamic_deep.cloud.key_source import open_keys
from dynamic_deep.cloud.metrics_http import MetricsServer
from dynamic_deep.cloud.store import open_store
from dynamic_deep.errors import ConfigError
from dynamic_deep.uplink.transport import BrokerAddress

_DAY_S = 24 * 3600.0
_LOG_FORMAT = "%(asctime)s %(levelname)s %(message)s"


def run(args: argparse.Namespace) -> int:
    """Receive until told to stop."""
    log = logging.getLogger("dynamic_deep.ingest")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(_LOG_FORMAT))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        return _run(args)
    finally:
        log.removeHandler(handler)


def _run(args: argparse.Namespace) -> int:
    settings = IngestSettings(
        early_s=args.publish_after,
        idle_s=args.until_idle,
        give_up_s=args.give_up_after * _DAY_S,
    )
    with ExitStack() as stack:
        address = stack.enter_context(_broker(args))
        ingest = stack.enter_context(
            Ingest(
                Path(args.state),
                open_keys(args.keys),
                open_store(args.store),
                address=address,
                login=Login(user=args.user, password=_password(args.password_file)),
                settings=settings,
            )
        )
        if args.metrics_port is not None:
            stack.enter_context(
                MetricsServer(
                    lambda: metrics_text(ingest),
                    ingest.problems,
                    host=args.metrics_host,
                    port=args.metrics_port,
                )
            )
        stack.enter_context(_stopping_on_signals(ingest))
        ingest.run()
        facts = facts_of(ingest)
    print_out(text.as_json(facts) if args.json else _as_text(facts))
    if not facts["n_left"]:
        return 0
    report(
        f"{text.plural(facts['n_left'], 'whole session')} not in the store yet; they "
        f"are safe in {args.state}, start ingest again"
    )
    return 1


@contextmanager
def _broker(args: argparse.Namespace) -> Iterator[BrokerAddress]:
    if args.broker.split(":")[0] == EMBEDDED:
        with broker_at(args.broker) as address:
            yield address
    else:
        yield BrokerAddress.parse(args.broker, Path(args.ca) if args.ca else None)


def _password(path: str | None) -> str | None:
    if path is None:
        return None
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    if not lines or not lines[0]:
        raise ConfigError(
            f"a password must stand in the first line, got none in {path}"
        )
    return lines[0]


@contextmanager
def _stopping_on_signals(ingest: Ingest) -> Iterator[None]:
    """Let SIGTERM and Ctrl-C end the work in order, and a second one at once."""
    numbers = (signal.SIGTERM, signal.SIGINT)
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = {number: signal.getsignal(number) for number in numbers}

    def stop(number: int, frame: FrameType | None) -> None:
        ingest.stop()
        for number_, handler in previous.items():
            signal.signal(number_, handler)

    for number in numbers:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def facts_of(ingest: Ingest) -> dict[str, Any]:
    """Return what a receiver has done, as `--json` prints it."""
    counts = ingest.inbox.counters()
    publisher = ingest.publisher
    return {
        **{name: counts.get(name, 0) for name in VERDICTS},
        "n_acks": ingest.link.n_acks,
        "n_commits": ingest.n_commits,
        "commit_s": round(ingest.commit_s, 3),
        "receiving_s": round(ingest.receiving_s, 3),
        "n_sessions": publisher.n_sessions,
        "n_unknown_time": publisher.n_unknown_time,
        "n_puts": publisher.n_puts,
        "n_put_bytes": publisher.n_put_bytes,
        "n_open": len(ingest.inbox.sessions()),
        "n_left": len(ingest.inbox.ready_sessions()),
        "resident_bytes": resident_bytes(),
    }


def _as_text(facts: dict[str, Any]) -> str:
    return text.fields(
        [
            ("messages", ", ".join(f"{facts[name]:,} {name}" for name in VERDICTS)),
            ("sessions", f"{facts['n_sessions']:,} put in this run, "
                         f"{facts['n_unknown_time']:,} of unknown time, "
                         f"{facts['n_open']:,} not whole yet"),
            ("objects", f"{facts['n_puts']:,} written, {facts['n_put_bytes']:,} bytes"),
            ("commits", f"{facts['n_commits']:,} in {facts['commit_s']:g} s"),
        ]
    )  # fmt: skip
