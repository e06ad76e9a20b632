# SPDX-License-Identifier: Apache-2.0
"""What a device tells of itself: rows of the trace."""

from __future__ import annotations

from typing import Any

from device_sim.clock import SimClock
from device_sim.device_costs import Cost
from device_sim.device_radio import DeviceRadio
from device_sim.device_session import CodedFrame, DeviceSession
from device_sim.trace import Row, Trace


class DeviceLog:
    """Writes rows of one device, with what every row has.

    Args:
        name: device id.
        clock: of the simulation.
        radio: knows how much waits.
        trace: of the run.
    """

    def __init__(
        self, name: str, clock: SimClock, radio: DeviceRadio, trace: Trace
    ) -> None:
        """Begin without a session."""
        self._name = name
        self._clock = clock
        self._radio = radio
        self._trace = trace

    def add(self, event: str, session: DeviceSession | None, **fields: Any) -> None:
        """Append a row.

        Args:
            event: one of `trace.EVENTS`.
            session: in which it happens, if in any.
            **fields: of the `Row`, what else it says.
        """
        self._trace.add(
            Row(
                time_s=self._clock.now_s,
                device=self._name,
                event=event,
                session="" if session is None else str(session.start.session),
                outbox_bytes=self._radio.outbox_bytes,
                **fields,
            )
        )

    def add_frame(self, frame: CodedFrame, cost: Cost, session: DeviceSession) -> None:
        """Append a row about a coded window."""
        self.add(
            "encode",
            session,
            window=frame.window_idx,
            lead=frame.lead,
            level=frame.level,
            n_bytes=frame.n_bytes,
            n_samples=frame.n_samples,
            duration_s=cost.duration_s,
            energy_mj=cost.energy_mj,
        )
