# SPDX-License-Identifier: Apache-2.0
"""What `encode` tells of each file and of all of them."""

from __future__ import annotations

from typing import Any

from dynamic_deep.cli import text
from dynamic_deep.cli.failures import report
from dynamic_deep.cli.plan import Job


def failure(job: Job, error: str | None) -> dict[str, str]:
    """Report a file that failed and return it ready for JSON."""
    error = error or "failed"
    report(error)
    return {"source": str(job.source), "error": error}


def warn_left_out(result: dict[str, Any]) -> None:
    """Say which leads of a file are not coded; nobody should find out later."""
    if result["left_out"]:
        names = ", ".join(result["left_out"])
        report(f"{result['source']}: left out, since of another sampling rate: {names}")


def result_line(result: dict[str, Any]) -> str:
    """Return one line about an encoded recording."""
    levels = result["levels"]
    frames = sum(levels.values())
    used = ", ".join(
        name if count == frames else f"{name} {100 * count / frames:.0f} %"
        for name, count in levels.items()
    )
    leads = text.plural(result["n_leads"], "lead")
    return (
        f"{result['target']}: {leads}, {text.duration(result['duration_s'])}; "
        f"{result['raw_bytes']:,} -> {result['n_bytes']:,} bytes, "
        f"gain {text.gain(result['compression_gain'])} ({used})"
    )


def total_of(results: list[dict[str, Any]], n_failed: int) -> dict[str, Any]:
    """Return the sums over all recordings, ready for JSON."""
    raw_bytes = sum(result["raw_bytes"] for result in results)
    n_bytes = sum(result["n_bytes"] for result in results)
    return {
        "n_files": len(results),
        "n_failed": n_failed,
        "raw_bytes": raw_bytes,
        "n_bytes": n_bytes,
        "compression_gain": raw_bytes / n_bytes if n_bytes else None,
    }


def total_line(total: dict[str, Any]) -> str:
    """Return one line about all of them."""
    parts = [text.plural(total["n_files"], "recording")]
    if total["n_files"]:
        parts.append(
            f"{total['raw_bytes']:,} -> {total['n_bytes']:,} bytes, "
            f"gain {text.gain(total['compression_gain'])}"
        )
    if total["n_failed"]:
        parts.append(f"{total['n_failed']:,} failed")
    return "total: " + "; ".join(parts)
