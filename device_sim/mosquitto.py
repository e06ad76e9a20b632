# SPDX-License-Identifier: Apache-2.0
"""Debian's mosquitto as a process of our own, with the rules of docs/uplink.md."""

from __future__ import annotations

import base64
import getpass
import hashlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from device_sim.local_broker import RECEIVER, START_S, BrokerError, LocalBroker, listens
from dynamic_deep.errors import ConfigError
from dynamic_deep.uplink.message import MAX_MESSAGE_LEN
from dynamic_deep.uplink.transport import RECEIVER_TOPIC

_HASH_ROUNDS = 101  # mosquitto's own default


class Mosquitto(LocalBroker):
    """Debian's mosquitto, as a process.

    Args:
        folder: as for every broker.
        users: likewise.
        is_persistent: whether what it holds outlives it.

    Raises:
        ConfigError: If mosquitto is not installed.
    """

    def __init__(
        self, folder: Path, users: Mapping[str, str], *, is_persistent: bool = True
    ) -> None:
        super().__init__(folder, users)
        program = find_mosquitto()
        if program is None:
            raise ConfigError(
                "mosquitto must be installed, found none; apt-get install mosquitto, "
                "or use the embedded broker"
            )
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        self._write_settings(is_persistent)

    def start(self) -> None:
        """Start the process, and return when it listens."""
        log = self._folder / "mosquitto.log"
        with log.open("ab") as stream:
            self._process = subprocess.Popen(
                [self._program, "-c", str(self._folder / "mosquitto.conf")],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
            )
        due = time.monotonic() + START_S
        while not listens(self.address.port):
            if self._process.poll() is not None or time.monotonic() > due:
                self.stop()
                text = log.read_text(errors="replace")[-500:]
                raise BrokerError(f"mosquitto must start, and does not: {text}")
            time.sleep(0.01)

    def stop(self) -> None:
        """End the process, so that it saves what it holds."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the process at once; what it has not saved is lost."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Stop the process from running: the link is up, and nothing comes through."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let a paused process run."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(number)
            process.send_signal(signal.SIGCONT)
            process.wait()

    def _write_settings(self, is_persistent: bool) -> None:
        rows = [f"{name}:{password_hash(word)}" for name, word in self._users.items()]
        self._write("passwords", rows)
        self._write("rules", access_rules())
        files = self._certificates
        self._write(
            "mosquitto.conf",
            [
                f"listener {self.address.port} {self.address.host}",
                f"certfile {files.cert_file}",
                f"keyfile {files.key_file}",
                "tls_version tlsv1.2",
                "allow_anonymous false",
                f"password_file {self._folder / 'passwords'}",
                f"acl_file {self._folder / 'rules'}",
                "use_username_as_clientid true",
                f"user {getpass.getuser()}",
                f"persistence {'true' if is_persistent else 'false'}",
                f"persistence_location {self._folder}/",
                "autosave_interval 1",
                "max_queued_messages 100000",
                "max_inflight_messages 100",
                f"message_size_limit {MAX_MESSAGE_LEN}",
                "log_type warning",
                "log_type error",
                "connection_messages false",
            ],
        )

    def _write(self, name: str, lines: list[str]) -> None:
        path = self._folder / name
        path.touch(mode=0o600)
        path.write_text("\n".join(lines) + "\n", encoding="ascii")


def find_mosquitto() -> str | None:
    """Return the path of the program, or None if it is not installed."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    return shutil.which("mosquitto", path=path)


def access_rules() -> list[str]:
    """Return the lines of an `acl_file`: who may write and read what."""
    return [
        *("pattern write ddc/1/%u/up", "pattern read ddc/1/%u/ack"),
        *(f"user {RECEIVER}", f"topic read {RECEIVER_TOPIC}"),
        "topic write ddc/1/+/ack",
    ]


def password_hash(password: str) -> str:
    """Return a password as mosquitto's file wants it: PBKDF2 over SHA-512."""
    salt = os.urandom(12)
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _HASH_ROUNDS)
    coded = (base64.b64encode(part).decode() for part in (salt, key))
    return f"$7${_HASH_ROUNDS}${'$'.join(coded)}"
