# SPDX-License-Identifier: Apache-2.0
"""One year's bill of one model, item by item. Pure functions.

Formulas: docs/cost.md. Everything scales with beds and hours but for the broker, the
free allowances and the minimum that a start of the decode job is billed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields

from costmodel.models import Model
from costmodel.prices import STANDARD, Messaging, PriceList
from costmodel.retention import Retention, Stay
from costmodel.units import HOURS_PER_YEAR, MONTHS_PER_YEAR
from costmodel.workload import Workload
from dynamic_deep.errors import ConfigError

BROKER, FREE_INGEST = "broker", "none"
SECRET_MANAGER, KEY_FOLDER = "secret_manager", "folder"
KEY_STORES = (KEY_FOLDER, SECRET_MANAGER)


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """All that a bill depends on beside the model.

    Attributes:
        workload: what is sent.
        prices: what things cost.
        retention: how long and where it is kept.
        fetch_share: of a year's recordings, how much experts fetch and decode in the
            year, spread over all ages as they are kept.
        egress_share: of what is fetched, how much leaves the cloud, as coded.
        tasks_s_per_window: time of all tasks on one window, s on one core.
        file_overhead_bytes: of a coded object beside its frames.
        ingest: "broker", "none" (the paper: inbound is free), or a messaging service.
        key_store: where the devices' keys are kept.
        slowdown: of the worker against the machine on which times were measured.
    """

    workload: Workload
    prices: PriceList
    retention: Retention = field(default_factory=Retention)
    fetch_share: float = 0.1
    egress_share: float = 0.0
    tasks_s_per_window: float = 0.0
    file_overhead_bytes: float = 0.0
    ingest: str = BROKER
    key_store: str = KEY_FOLDER
    slowdown: float = 1.0

    def __post_init__(self) -> None:
        """Check the numbers and names."""
        for name in ("fetch_share", "egress_share"):
            share = getattr(self, name)
            if not 0 <= share <= 1:
                raise ConfigError(f"{name} must be 0 to 1, got {share:g}; 0.1 is 10 %")
        for name in ("tasks_s_per_window", "file_overhead_bytes", "slowdown"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise ConfigError(f"{name} must be at least 0, got {value:g}")
        if self.key_store not in KEY_STORES:
            raise ConfigError(
                f"key_store must be one of {', '.join(KEY_STORES)}, got "
                f"{self.key_store!r}"
            )
        if self.ingest not in (BROKER, FREE_INGEST):
            self.prices.messaging_service(self.ingest)
        for step in self.retention.steps:
            self.prices.storage_class(step.storage_class)

    def stays(self) -> list[Stay]:
        """Return what the billed year sees in each storage class."""
        classes = (
            self.prices.storage_class(step.storage_class)
            for step in self.retention.steps
        )
        return self.retention.stays([found.minimum_days for found in classes])


@dataclass(frozen=True, kw_only=True)
class Bill:
    """A year's bill, US dollars.

    Attributes:
        storage_usd: keeping bytes.
        early_deletion_usd: bytes that leave a class before its minimum duration.
        operations_usd: writing, finding, reading and moving objects.
        retrieval_usd: reading bytes of the colder classes.
        egress_usd: bytes that leave the cloud.
        decode_usd: computing: decoding.
        tasks_usd: computing: the tasks, the same in every model.
        ingest_usd: taking messages in.
        keys_usd: keeping the devices' keys.
    """

    storage_usd: float
    early_deletion_usd: float
    operations_usd: float
    retrieval_usd: float
    egress_usd: float
    decode_usd: float
    tasks_usd: float
    ingest_usd: float
    keys_usd: float

    @property
    def coding_usd(self) -> float:
        """What coding changes: all but the tasks, ingest and keys."""
        return math.fsum(
            (
                *(self.storage_usd, self.early_deletion_usd, self.operations_usd),
                *(self.retrieval_usd, self.egress_usd, self.decode_usd),
            )
        )

    @property
    def total_usd(self) -> float:
        """Everything."""
        return math.fsum(getattr(self, item.name) for item in fields(self))


ITEMS = tuple(item.name for item in fields(Bill))


def stored_bytes_per_year(model: Model, scenario: Scenario) -> float:
    """Return the bytes that are written into the store in a year."""
    work = scenario.workload
    overhead = scenario.file_overhead_bytes if model.is_coded else 0.0
    return work.raw_bytes_per_year / model.gain + work.objects_per_year * overhead


def decoded_windows_per_year(model: Model, scenario: Scenario) -> float:
    """Return how many windows are decoded in a year."""
    times = scenario.fetch_share + (1.0 if model.decodes_all else 0.0)
    return scenario.workload.windows_per_year * times


def yearly_bill(model: Model, scenario: Scenario) -> Bill:
    """Return a year's bill.

    Args:
        model: how the ward is run.
        scenario: all else.
    """
    prices = scenario.prices
    written = stored_bytes_per_year(model, scenario)
    stays = scenario.stays()
    classes = [prices.storage_class(stay.storage_class) for stay in stays]
    held = math.fsum(
        found.at_rest.cost_usd(written * stay.held_years * HOURS_PER_YEAR)
        for found, stay in zip(classes, stays, strict=True)
    )
    early = math.fsum(
        found.at_rest.cost_usd(written * stay.cut_years * HOURS_PER_YEAR)
        for found, stay in zip(classes, stays, strict=True)
    )
    fetched = scenario.fetch_share * written
    all_held = math.fsum(stay.held_years for stay in stays)
    retrieval = math.fsum(
        found.retrieval.cost_usd(fetched * stay.held_years / all_held)
        for found, stay in zip(classes, stays, strict=True)
    )
    decode_usd, tasks_usd = _compute_usd(model, scenario)
    return Bill(
        storage_usd=held,
        early_deletion_usd=early,
        operations_usd=_operations_usd(model, scenario, stays),
        retrieval_usd=retrieval,
        egress_usd=prices.egress.cost_usd(fetched * scenario.egress_share),
        decode_usd=decode_usd,
        tasks_usd=tasks_usd,
        ingest_usd=_ingest_usd(model, scenario),
        keys_usd=_keys_usd(scenario),
    )


def _operations_usd(model: Model, scenario: Scenario, stays: list[Stay]) -> float:
    """Writing and moving every object, finding and reading those that are decoded."""
    work, prices = scenario.workload, scenario.prices
    objects = work.objects_per_year
    standard = prices.storage_class(STANDARD)
    cost = standard.write.cost_usd(objects * work.n_writes_per_object)
    if model.decodes_all and model.is_coded:  # by a job that follows the clock
        jobs = max(1.0, work.n_jobs_per_day)
        cost += standard.read.cost_usd(objects * work.n_reads_per_object)
        cost += standard.write.cost_usd(work.lists_per_year * jobs)
    read = objects * work.n_reads_per_object * scenario.fetch_share
    cost += standard.write.cost_usd(work.lists_per_year * scenario.fetch_share)
    all_held = math.fsum(stay.held_years for stay in stays)
    for stay in stays:
        found = prices.storage_class(stay.storage_class)
        cost += found.write.cost_usd(objects * stay.entered)
        cost += found.read.cost_usd(read * stay.held_years / all_held)
    return cost


def compute_s_per_year(model: Model, scenario: Scenario) -> tuple[float, float]:
    """Return the seconds of worker time for decoding and for the tasks."""
    windows = decoded_windows_per_year(model, scenario)
    share = scenario.slowdown / scenario.prices.machine.n_vcpus
    decode_s = windows * model.decode_s_per_window * share
    tasks_s = scenario.workload.windows_per_year * scenario.tasks_s_per_window * share
    return decode_s, tasks_s


def _compute_usd(model: Model, scenario: Scenario) -> tuple[float, float]:
    """Return the prices of both; a start of the job is billed at least its minimum."""
    decode_s, tasks_s = compute_s_per_year(model, scenario)
    machine = scenario.prices.machine
    if decode_s + tasks_s == 0:
        return 0.0, 0.0
    least_s = scenario.workload.jobs_per_year * machine.minimum_s
    raised = max(1.0, least_s / (decode_s + tasks_s))
    usd_per_s = machine.usd_per_hour * raised / 3600
    return decode_s * usd_per_s, tasks_s * usd_per_s


def _ingest_usd(model: Model, scenario: Scenario) -> float:
    prices, work = scenario.prices, scenario.workload
    if scenario.ingest == FREE_INGEST:
        return 0.0
    if scenario.ingest == BROKER:
        return prices.broker.cost_usd(HOURS_PER_YEAR)
    service = prices.messaging_service(scenario.ingest)
    sizes = [work.raw_bytes_per_year / model.gain]
    if model.sends_raw:
        sizes.append(work.raw_bytes_per_year)
    billed = math.fsum(_billed_bytes(service, work, size) for size in sizes)
    return MONTHS_PER_YEAR * service.cost_usd_per_month(billed / MONTHS_PER_YEAR)


def _billed_bytes(service: Messaging, work: Workload, bytes_per_year: float) -> float:
    messages = work.messages_per_year
    size = bytes_per_year / messages + work.message_overhead_bytes
    return messages * service.billed_bytes(size)


def _keys_usd(scenario: Scenario) -> float:
    if scenario.key_store == KEY_FOLDER:
        return 0.0
    per_device = scenario.prices.secret.cost_usd(HOURS_PER_YEAR)
    return scenario.workload.beds * per_device
