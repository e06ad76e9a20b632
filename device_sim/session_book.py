# SPDX-License-Identifier: Apache-2.0
"""Which session a device is in, and which message must come next.

So that no session and no number is used twice, and each `open` tells the truth about
the session before. Rules: docs/uplink.md, section "Sessions".
"""

from __future__ import annotations

from device_sim.outbox_state import StoredState
from dynamic_deep.errors import ConfigError
from dynamic_deep.uplink.body import PreviousSession
from dynamic_deep.uplink.keys import DeviceKeys
from dynamic_deep.uplink.message import SessionId
from dynamic_deep.uplink.sealed import SealedMessage, SessionStart


class SessionBook:
    """Keeps the sessions of devices.

    Args:
        states: how far each device has come, from its store.
    """

    def __init__(self, states: dict[str, StoredState]) -> None:
        self._states = dict(states)
        self._booted: set[str] = set()
        self._begun: dict[str, tuple[SessionId, int]] = {}  # with the mark

    def state(self, device: str) -> StoredState:
        """Return how far a device has come."""
        return self._states.get(device, StoredState())

    def boot(self, device: str, boot: int) -> None:
        """Note a boot counter, which is durable already."""
        self._states[device] = self.state(device)._replace(boot=boot)
        self._booted.add(device)
        self._begun.pop(device, None)

    def begin(self, keys: DeviceKeys, mark: int) -> SessionStart:
        """Return what the next session of a device needs.

        Raises:
            ConfigError: If the device was not booted since the store was opened.
        """
        device = keys.device
        state = self.state(device)
        if device not in self._booted:
            raise ConfigError(f"boot {device} before it begins a session")
        before, _ = self._begun.get(device, (SessionId(state.boot, -1), 0))
        session = SessionId(state.boot, before.counter + 1)
        self._begun[device] = (session, mark)
        return SessionStart(
            device=device,
            session=session,
            previous=PreviousSession(state.session, state.n_messages),
            key_id=keys.key_id,
            key=keys.key,
        )

    def check(self, message: SealedMessage) -> None:
        """Check that a message is the next of the session that its device is in.

        Raises:
            ConfigError: If it is not.
        """
        fields = message.message
        session, _ = self._begun.get(fields.device, (None, 0))
        state = self.state(fields.device)
        due = state.n_messages if state.session == session else 0
        if (fields.session, fields.number) != (session, due):
            raise ConfigError(
                f"{fields.device} must store number {due} of session {session} next, "
                f"got {fields.number} of {fields.session}"
            )

    def take(self, message: SealedMessage) -> None:
        """Note a message that has been checked."""
        fields = message.message
        _, mark = self._begun[fields.device]
        self._states[fields.device] = StoredState(
            boot=fields.session.boot,
            session=fields.session,
            n_messages=fields.number + 1,
            next_seq=message.next_seq,
            n_samples=message.n_samples,
            mark=mark,
            is_closed=message.is_last,
        )
