# SPDX-License-Identifier: Apache-2.0
"""Who may do what at the embedded broker. Loaded by amqtt, by the names of the classes.

The rules are those of docs/uplink.md, section "Transport".
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field

from amqtt.contexts import Action
from amqtt.plugins.base import BaseAuthPlugin, BaseTopicPlugin
from amqtt.session import Session

from device_sim.local_broker import RECEIVER
from dynamic_deep.uplink.message import is_device_id
from dynamic_deep.uplink.transport import RECEIVER_TOPIC, ack_topic, up_topic


class PasswordRule(BaseAuthPlugin):
    """Lets known users in, each under its own name as client id."""

    @dataclass
    class Config:
        """User name -> password."""

        users: dict[str, str] = field(default_factory=dict)

    async def authenticate(self, *, session: Session) -> bool | None:
        """Tell whether the user may come in."""
        known = self.config.users.get(session.username or "")
        given = session.password or ""
        is_known = known is not None and hmac.compare_digest(
            known.encode(), given.encode()
        )
        return is_known and session.client_id == session.username


class TopicRule(BaseTopicPlugin):
    """A device writes its `up` and reads its `ack`; the receiver does the reverse."""

    async def topic_filtering(
        self,
        *,
        session: Session | None = None,
        topic: str | None = None,
        action: Action | None = None,
    ) -> bool | None:
        """Tell whether a topic may be used so."""
        user = (session.username if session else None) or ""
        is_write = action == Action.PUBLISH
        if user == RECEIVER:
            parts = (topic or "").split("/")
            if is_write:
                return len(parts) == 4 and topic == ack_topic(parts[2])
            return topic == RECEIVER_TOPIC or (
                action == Action.RECEIVE and parts[-1] == "up"
            )
        if not is_device_id(user):
            return False
        return topic == (up_topic(user) if is_write else ack_topic(user))
