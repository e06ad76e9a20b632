# SPDX-License-Identifier: Apache-2.0
"""Devices that talk to a real broker, and a receiver as a process of its own."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from dynamic_deep.cli import cloud_ingest
from dynamic_deep.cloud.ingest import Ingest
from dynamic_deep.cloud.ingest_link import Login
from dynamic_deep.cloud.ingest_settings import IngestSettings
from dynamic_deep.cloud.store import open_store
from dynamic_deep.uplink.ack import read_ack, verifies
from dynamic_deep.uplink.keys import DeviceKeys, KeyRing
from dynamic_deep.uplink.message import SessionId
from dynamic_deep.uplink.transport import BrokerAddress, ack_topic, up_topic
from tests.cloud.ward import BedSession

WAIT_S = 30.0


def wait_for(
    condition: Callable[[], object], what: str, timeout_s: float = WAIT_S
) -> None:
    due = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > due:
            pytest.fail(f"waited {timeout_s:g} s in vain for {what}")
        time.sleep(0.02)


class Sender:
    """A device at a broker: sends, hears acknowledgements that verify, sends again."""

    def __init__(
        self, address: BrokerAddress, keys: DeviceKeys, password: str | None = None
    ) -> None:
        self.keys = keys
        self.device = keys.device
        self.acked: dict[SessionId, int] = {}
        self._online = threading.Event()
        self.client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=self.device, clean_session=False
        )
        self.client.max_inflight_messages_set(200)
        if password is not None:
            self.client.username_pw_set(self.device, password)
        if address.is_tls:
            context = ssl.create_default_context(cafile=address.ca_file)
            self.client.tls_set_context(context)
        self.client.on_connect = self._on_connect
        self.client.on_subscribe = lambda *_: self._online.set()
        self.client.on_message = self._on_message
        self.client.connect(address.host, address.port)
        self.client.loop_start()
        assert self._online.wait(WAIT_S)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def send(self, session: BedSession, stop: int | None = None) -> None:
        for payload in session.payloads[:stop]:
            self.client.publish(up_topic(self.device), payload, qos=1)

    def is_done(self, session: BedSession) -> bool:
        return self.acked.get(session.session, -1) == len(session.payloads) - 1

    def deliver(self, session: BedSession, timeout_s: float = WAIT_S) -> None:
        """Send until all is acknowledged end to end."""
        due = time.monotonic() + timeout_s
        while not self.is_done(session):
            if time.monotonic() > due:
                pytest.fail(f"not acknowledged: {self.acked} of {session.session}")
            self.send(session)
            with contextlib.suppress(TimeoutError):
                wait_until(lambda: self.is_done(session), 1.0)

    def _on_connect(self, client: mqtt.Client, *_: Any) -> None:
        client.subscribe(ack_topic(self.device), qos=1)

    def _on_message(self, _client: mqtt.Client, _data: Any, message: Any) -> None:
        ack = read_ack(message.payload, self.device)
        assert verifies(message.payload, ack, self.keys.keys[ack.key_id])
        self.acked[ack.session] = max(ack.number, self.acked.get(ack.session, -1))


def wait_until(condition: Callable[[], bool], timeout_s: float) -> None:
    due = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > due:
            raise TimeoutError
        time.sleep(0.02)


class IngestProcess:
    """`dynamic-deep cloud ingest` as a process.

    `script`, if given, is Python that runs before it, to make it fail at a point.
    """

    def __init__(
        self,
        arguments: list[str],
        *,
        script: str = "",
        env: Mapping[str, str] | None = None,
    ) -> None:
        code = (
            f"{script}\nimport sys\nfrom dynamic_deep.cli import main\n"
            "sys.exit(main(['cloud', 'ingest', *sys.argv[1:], '--json']))\n"
        )
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=dict(os.environ) | dict(env or {}),
        )
        self.log = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log += line

    def wait_for(self, text: str) -> None:
        wait_for(lambda: text in self.log or self.process.poll() is not None, text)
        assert text in self.log, self.log

    def stop(self) -> dict[str, Any]:
        """End it in order and return what it prints."""
        self.process.send_signal(signal.SIGTERM)
        return self.result()

    def result(self, status: int = 0) -> dict[str, Any]:
        assert self.process.stdout is not None
        out = self.process.stdout.read()
        assert self.process.wait(WAIT_S) == status, self.log
        self.finish()
        return dict(json.loads(out)) if out else {}

    def finish(self) -> None:
        """Leave no process behind."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join()
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.process.stdout.close()
        self.process.stderr.close()


class IngestThread:
    """The same in a thread of this process: it starts at once."""

    def __init__(self, folder: Path, address: BrokerAddress, url: str) -> None:
        self.log = ""
        self._handler = _Collector(self)
        logger = logging.getLogger("dynamic_deep.ingest")
        logger.addHandler(self._handler)
        logger.setLevel(logging.INFO)
        self.ingest = Ingest(
            folder / "state",
            KeyRing(folder / "keys"),
            open_store(url),
            address=address,
            login=Login(password="receive"),
            settings=IngestSettings(round_s=0.05),
        )
        self._thread = threading.Thread(target=self.ingest.run)
        self._thread.start()

    def wait_for(self, text: str) -> None:
        wait_for(lambda: text in self.log, text)

    def stop(self) -> dict[str, Any]:
        self.ingest.stop()
        self._thread.join()
        return cloud_ingest.facts_of(self.ingest)

    def finish(self) -> None:
        self.ingest.stop()
        self._thread.join()
        with self.ingest:
            pass
        logging.getLogger("dynamic_deep.ingest").removeHandler(self._handler)


class _Collector(logging.Handler):
    def __init__(self, owner: IngestThread) -> None:
        super().__init__()
        self._owner = owner

    def emit(self, record: logging.LogRecord) -> None:
        self._owner.log += record.getMessage() + "\n"


@contextmanager
def receiving(folder: Path, address: BrokerAddress, url: str) -> Iterator[IngestThread]:
    """A receiver in this process that is connected."""
    ingest = IngestThread(folder, address, url)
    try:
        ingest.wait_for("connected")
        yield ingest
    finally:
        ingest.finish()


@contextmanager
def running(
    arguments: list[str], *, script: str = "", env: Mapping[str, str] | None = None
) -> Iterator[IngestProcess]:
    ingest = IngestProcess(arguments, script=script, env=env)
    try:
        yield ingest
    finally:
        ingest.finish()


def ingest_arguments(folder: Path, broker: BrokerAddress, store: str) -> list[str]:
    """The options of a receiver whose files lie in `folder`."""
    password = folder / "password"
    password.write_text("receive\n")
    arguments = ["--broker", str(broker), "--store", store]
    arguments += ["--keys", str(folder / "keys"), "--state", str(folder / "state")]
    arguments += ["--password-file", str(password)]
    if broker.ca_file is not None:
        arguments += ["--ca", str(broker.ca_file)]
    return arguments
