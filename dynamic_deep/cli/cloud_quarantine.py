# SPDX-License-Identifier: Apache-2.0
"""`cloud quarantine`: what ingest did not take, and why."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dynamic_deep.cli import text
from dynamic_deep.cli.files import print_out, whole_file
from dynamic_deep.cloud.inbox import Inbox, Quarantined
from dynamic_deep.cloud.state_folder import INBOX_FILE
from dynamic_deep.errors import ConfigError


class _NoKeys:
    """Looking needs no keys."""

    def find(self, device: str, key_id: int) -> bytes | None:
        return None


def run(args: argparse.Namespace) -> int:
    """Show what lies in quarantine."""
    path = Path(args.state) / INBOX_FILE
    if not path.is_file():
        raise ConfigError(
            f"a state folder of ingest must hold {INBOX_FILE}, got {args.state}; give "
            "the folder of --state"
        )
    with Inbox(path, _NoKeys()) as inbox:
        found = inbox.quarantined(args.limit)
        n_all = inbox.counters().get("quarantined", 0)
    if args.dump is not None:
        _dump(found, Path(args.dump))
    if args.json:
        facts = {"n_quarantined": n_all, "messages": [_facts(item) for item in found]}
        print_out(text.as_json(facts))
        return 0
    for item in found:
        print_out(
            f"{item.row_id:>6}  {_time(item.last_time)}  {item.topic_device!r}  "
            f"{item.n_bytes:,} bytes, {item.n_times} times, "
            f"{'sealed by it' if item.is_authentic else 'not sealed by it'}: "
            f"{' '.join(item.reason.split())}"
        )
    print_out(f"{text.plural(n_all, 'message')} quarantined in all")
    return 0


def _dump(found: list[Quarantined], folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for item in found:
        with whole_file(folder / f"{item.row_id}.bin") as stream:
            stream.write(item.payload)


def _facts(item: Quarantined) -> dict[str, Any]:
    return {
        "row_id": item.row_id,
        "topic_device": item.topic_device,
        "reason": item.reason,
        "is_authentic": item.is_authentic,
        "first_time": _time(item.first_time),
        "last_time": _time(item.last_time),
        "n_times": item.n_times,
        "n_bytes": item.n_bytes,
    }


def _time(time_s: float) -> str:
    return datetime.fromtimestamp(time_s, UTC).isoformat(timespec="seconds")
