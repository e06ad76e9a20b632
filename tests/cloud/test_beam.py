# SPDX-License-Identifier: Apache-2.0
"""The same job by Apache Beam: the same bytes, and the same graph for every runner."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from dynamic_deep.cloud import beam_run
from dynamic_deep.cloud.beam_run import IN_PROCESS, RUNNERS, run_beam
from dynamic_deep.cloud.pool_run import run_local
from dynamic_deep.cloud.store import StoreMissingError
from dynamic_deep.errors import ConfigError, DynamicDeepError
from tests.cloud.sessions import (
    aware_codec,
    ecg_session,
    everything,
    put_session,
)
from tests.cloud.test_decode_job import job_of

beam = pytest.importorskip("apache_beam", reason="needs the extra `beam`")
from apache_beam.options.pipeline_options import PipelineOptions  # noqa: E402
from apache_beam.pipeline import AppliedPTransform, PipelineVisitor  # noqa: E402


@pytest.fixture
def ward(tmp_path: Path) -> Path:
    coded = aware_codec().encode(ecg_session(40.0), level="gain_32")
    for device in ("bed-1", "bed-2", "bed-3"):
        put_session(tmp_path / "ward", coded, device=device)
    put_session(tmp_path / "ward", coded[:-40], device="bed-4")
    put_session(tmp_path / "ward", b"nothing", device="bed-5")
    return tmp_path / "ward"


def test_beam_writes_what_the_pool_writes(ward: Path, tmp_path: Path) -> None:
    local = run_local(job_of(ward, tmp_path / "local"))
    by_beam = run_beam(job_of(ward, tmp_path / "beam"), IN_PROCESS)
    assert by_beam == local
    assert everything(tmp_path / "beam") == everything(tmp_path / "local")
    again = run_beam(job_of(ward, tmp_path / "beam"), IN_PROCESS)
    assert (again.n_kept, again.n_done, again.n_failed) == (4, 0, 1)


def test_a_job_without_sessions_has_a_report(ward: Path, tmp_path: Path) -> None:
    report = run_beam(job_of(ward, tmp_path / "out", devices=("bed-9",)), IN_PROCESS)
    assert report.n_sessions == 0


# Dataflow's pipelines ask Google Cloud for buckets as soon as they are made.
OFFLINE = [name for name in RUNNERS if name != "DataflowRunner"]


@pytest.mark.parametrize("runner", OFFLINE)
def test_the_graph_is_the_same_for_every_runner(tmp_path: Path, runner: str) -> None:
    pipeline = beam.Pipeline(beam_run._runner(runner), PipelineOptions([]))
    beam_run.build_graph(pipeline, job_of(tmp_path, tmp_path / "out"))
    steps = Steps()
    pipeline.visit(steps)
    assert steps.labels == [
        *("Job", "ListSessions", "Reshuffle", "DecodeSession"),
        *("SumReports", "WriteReport"),
    ]
    kinds = {
        t.spec.urn for t in pipeline.to_runner_api().components.transforms.values()
    }
    assert "beam:transform:reshuffle:v1" in kinds


class Steps(PipelineVisitor):
    """Collects the labels of the outermost steps."""

    def __init__(self) -> None:
        self.labels: list[str] = []

    def enter_composite_transform(self, node: AppliedPTransform) -> None:
        self._add(node)

    def visit_transform(self, node: AppliedPTransform) -> None:
        self._add(node)

    def _add(self, node: AppliedPTransform) -> None:
        if node.full_label and "/" not in node.full_label:
            self.labels.append(node.full_label)


def test_what_is_wrong_shows_before_the_pipeline_starts(tmp_path: Path) -> None:
    with pytest.raises(StoreMissingError):
        run_beam(job_of(tmp_path / "none", tmp_path / "out"), IN_PROCESS)
    with pytest.raises(ConfigError, match="one of FnApiRunner"):
        run_beam(job_of(tmp_path, tmp_path / "out"), "PrismRunner")


def test_a_pipeline_that_cant_start_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DynamicDeepError, match="region") as caught:
        run_beam(job_of(tmp_path, tmp_path / "out"), "DataflowRunner")
    assert "\n" not in str(caught.value)


def test_a_missing_beam_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    with pytest.raises(ConfigError, match=r"dynamic-deep\[beam,cloud\]"):
        run_beam(job_of(tmp_path, tmp_path / "out"), IN_PROCESS)
