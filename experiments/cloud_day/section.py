# SPDX-License-Identifier: Apache-2.0
"""The part of the page that tells of a day in the cloud."""

from __future__ import annotations

from typing import Any

from experiments.section import Claim, Section, Table, number

# Asked of the receiver and of a decode worker, 10^6 bytes (docs/cloud.md).
MAX_INGEST_MB, MAX_DECODE_MB = 200.0, 600.0
_PARTS = {
    "fleet": "the devices, in one process",
    "ingest": "`dynamic-deep cloud ingest`",
    "check": "`dynamic-deep cloud check`",
    "decode": "`dynamic-deep cloud decode`, both tasks",
}


def section(results: dict[str, Any]) -> Section:
    """Return the part of the page that these results give."""
    windows, asked, costs = results["windows"], results["asked"], results["costs"]
    faults = ("lost", "twice", "damaged", "devices_off")
    n_faults = sum(windows[name] for name in faults)
    day = f"{asked['devices']} devices, {asked['hours']:g} hours"
    memory = costs["ingest"]["peak_memory_mb"], costs["decode"]["peak_memory_mb"]
    is_kept = (
        n_faults == 0 and memory[0] <= MAX_INGEST_MB and memory[1] <= MAX_DECODE_MB
    )
    claim = Claim(
        claim=f"{day} through mosquitto, ingest, store, decode and both tasks: nothing "
        f"is lost; at most {MAX_INGEST_MB:g} and {MAX_DECODE_MB:g} MB",
        command=results["made_by"]["command"],
        paper="not measured",
        ours=f"{windows['encoded']:,} windows, {n_faults} lost, twice or damaged; "
        f"{memory[0]:.0f} and {memory[1]:.0f} MB",
        why="as asked" if is_kept else "missed",
    )
    rows = tuple((what, *_cost_cells(costs[name])) for name, what in _PARTS.items())
    sizes = results["bytes"]
    text = (
        f"{day}, replaying real records; every window that a device encoded is looked "
        f"for in the store and in the rows. Encoded {windows['encoded']:,}, in the "
        f"store {windows['in_store']:,}, rows {windows['rows']:,}. Raw samples "
        f"{sizes['raw'] / 1e6:,.0f} MB; sent, sealed and with session data, "
        f"{sizes['sent'] / 1e6:.1f} MB (gain {number(results['gain']['sent'])}); "
        f"stored {sizes['stored'] / 1e6:.1f} MB (gain "
        f"{number(results['gain']['stored'])}) in {results['n_objects']:,} objects. "
        "`run all` leaves this out, since it needs mosquitto and an hour; "
        "[cloud](cloud.md) says how it is run for real."
    )
    header = ("part", "wall, min", "CPU, min", "peak memory, MB")
    return Section(
        title="A day in the cloud",
        blocks=(text, Table(header=header, rows=rows)),
        claims=(claim,),
    )


def _cost_cells(cost: dict[str, float]) -> tuple[str, str, str]:
    return (
        f"{cost['wall_s'] / 60.0:.1f}",
        f"{cost['cpu_s'] / 60.0:.1f}",
        f"{cost['peak_memory_mb']:.0f}",
    )
