# SPDX-License-Identifier: Apache-2.0
"""Measure ingest: `python -m tests.cloud.measure_ingest --devices 50 --hours 24`.

The backlog of a day lies at mosquitto (TLS, passwords); then the receiver starts as a
process of its own, and its time and memory are taken. The frames are those of an hour
of a real record where DYNAMIC_DEEP_DATA has one, else of a simulated one.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from datetime import timedelta
from pathlib import Path

import numpy as np

from device_sim.brokers import Mosquitto
from dynamic_deep import Codec, Recording, read_recording
from dynamic_deep.cloud.catalog import find_objects
from dynamic_deep.cloud.store import open_store
from dynamic_deep.container import ContainerReader, ContainerWriter, FileHeader, Frame
from dynamic_deep.synthetic import simulate_ecg
from dynamic_deep.uplink.body import PreviousSession
from dynamic_deep.uplink.message import SessionId
from dynamic_deep.uplink.sealed import SealedMessage, SessionStart
from dynamic_deep.uplink.session import MessageSink
from tests.cloud.ward import START, Bed, dated
from tests.cloud.ward_net import Sender, ingest_arguments, receiving, wait_for

CHECKOUT = Path(__file__).resolve().parents[2]
HOUR_S = 3600


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=50)
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--level", default="gain_64")
    parser.add_argument("--frames", type=int, default=10, help="of a message")
    args = parser.parse_args()
    reader = coded_hour(args.level)
    with tempfile.TemporaryDirectory(prefix="measure-ingest-") as folder:
        measure(Path(folder), reader, args)


def coded_hour(level: str) -> ContainerReader:
    """One lead for an hour, the record repeated as often as that takes."""
    data = Path(os.environ.get("DYNAMIC_DEEP_DATA", CHECKOUT / ".data"))
    record = next(iter(sorted((data / "mitdb").rglob("100.hea"))), None)
    source = read_recording(record) if record else simulate_ecg(1800.0, fs=360.0)
    n_wanted = round(HOUR_S * source.fs)
    n_times = -(-n_wanted // source.n_samples)
    samples = np.tile(source.samples[:, :1], (n_times, 1))[:n_wanted]
    info = source.info
    recording = Recording(
        samples=samples,
        fs=info.fs,
        adc_gain=info.adc_gain[:1],
        adc_baseline=info.adc_baseline[:1],
        units=info.units[:1],
        lead_names=info.lead_names[:1],
    )
    return ContainerReader(Codec.load("standard").encode(recording, level=level))


def seal(
    bed: Bed, header: FileHeader, frames: list[Frame], n_samples: int, n_frames: int
) -> list[bytes]:
    session = SessionId(1, bed.previous.session.counter + 1)
    sealed: list[SealedMessage] = []

    def store(message: SealedMessage) -> bool:
        sealed.append(message)
        return True

    start = SessionStart(
        device=bed.device,
        session=session,
        previous=bed.previous,
        key_id=bed.keys.key_id,
        key=bed.keys.key,
    )
    writer = ContainerWriter(
        MessageSink(start, store, n_frames=n_frames).stream, header
    )
    for frame in frames:
        writer.write_frame(frame)
    writer.close(n_samples)
    bed.previous = PreviousSession(session, len(sealed))
    return [message.data for message in sealed]


def measure(folder: Path, reader: ContainerReader, args: argparse.Namespace) -> None:
    frames = list(reader.frames())
    beds = [Bed.known_to(folder / "keys", f"bed-{n:03}") for n in range(args.devices)]
    users = {bed.device: "word" for bed in beds} | {"ingest": "receive"}
    url = str(folder / "store")
    with Mosquitto(folder / "broker", users) as broker:
        with receiving(folder, broker.address, url):
            pass  # so that the broker knows whom to keep messages for
        n_messages, n_bytes = fill(broker, beds, reader, args)
        facts = timed_ingest(ingest_arguments(folder, broker.address, url))
    store = open_store(url)
    found = list(find_objects(store))
    n_whole = 0
    for entry in found:
        with ContainerReader(io.BytesIO(store.get(entry.name))) as held:
            n_whole += list(held.frames()) == frames and not held.damage
    facts |= {
        "n_devices": args.devices,
        "n_hours": args.hours,
        "level": args.level,
        "n_messages": n_messages,
        "mean_message_bytes": round(n_bytes / n_messages),
        "n_objects": len(found),
        "n_objects_whole": n_whole,
        "store_bytes": sum(entry.size for entry in found),
        "messages_per_s": round(n_messages / facts["receiving_s"]),
        "x_real_time_of_one_lead": round(
            args.devices * args.hours * HOUR_S / facts["receiving_s"]
        ),
    }
    print(json.dumps(facts, indent=2))


def fill(
    broker: Mosquitto,
    beds: list[Bed],
    reader: ContainerReader,
    args: argparse.Namespace,
) -> tuple[int, int]:
    """Send all to the broker, as many devices at a time as there are threads."""
    totals: list[tuple[int, int]] = []
    frames, n_samples, header = list(reader.frames()), reader.n_samples, reader.header

    def one(bed: Bed) -> None:
        sender = Sender(broker.address, bed.keys, "word")
        n_messages = n_bytes = 0
        for hour in range(args.hours):
            dated_header = dated(header, START + timedelta(hours=hour - args.hours))
            for data in seal(bed, dated_header, frames, n_samples, args.frames):
                sender.client.publish(f"ddc/1/{bed.device}/up", data, qos=1)
                n_messages, n_bytes = n_messages + 1, n_bytes + len(data)
        wait_for(lambda: not sender.client._out_messages, "the broker", 600)
        sender.close()
        totals.append((n_messages, n_bytes))

    for first in range(0, len(beds), 4):
        threads = [
            threading.Thread(target=one, args=(bed,)) for bed in beds[first : first + 4]
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return sum(n for n, _ in totals), sum(n for _, n in totals)


def timed_ingest(arguments: list[str]) -> dict[str, object]:
    """Run the command under /usr/bin/time, and return what both say."""
    command = [sys.executable, "-m", "dynamic_deep", "cloud", "ingest", *arguments]
    command += ["--until-idle", "5", "--json"]
    started_s = time.monotonic()
    done = subprocess.run(
        ["/usr/bin/time", "-v", *command], capture_output=True, text=True, check=True
    )
    facts = dict(json.loads(done.stdout))
    facts["wall_s"] = round(time.monotonic() - started_s, 1)
    for line in done.stderr.splitlines():
        name, _, value = line.strip().rpartition(": ")
        if name.startswith("Maximum resident"):
            facts["peak_rss_mb"] = round(int(value) / 1024)
        if name.startswith(("User time", "System time")):
            facts[name.split()[0].lower() + "_s"] = float(value)
    return facts


if __name__ == "__main__":
    main()
