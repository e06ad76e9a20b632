# SPDX-License-Identifier: Apache-2.0
"""The bench's rows that choose a level for each window, and the strips of the page."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from dynamic_deep import Codec, read_recording, write_recording
from dynamic_deep.bench import BenchOptions, BenchResult, run_bench, to_json
from dynamic_deep.bench.groups import LOSSLESS, NEURAL, WAVELET
from dynamic_deep.bench.level_strip import level_colours, strip_svg, text_colour
from dynamic_deep.bench.report_html import format_html
from dynamic_deep.bench.shown import LadderStep, LevelStrip
from dynamic_deep.bench.strips import envelope, row_length_s
from dynamic_deep.container import ContainerReader
from dynamic_deep.policy import MaxPrdn
from dynamic_deep.synthetic import simulate_ecg

SVG = "{http://www.w3.org/2000/svg}"
ROW = "PRDN <= 12 %"
POLICY = MaxPrdn(percent=12.0)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("strips") / "r1.hea"
    write_recording(path, simulate_ecg(100.0, n_leads=2, seed=5, name="r1"))
    return path


@pytest.fixture(scope="module")
def result(path: Path) -> BenchResult:
    options = BenchOptions(
        bundles=("classical",),
        levels=("lossless", "wavelet_32"),
        baselines=(),
        n_examples=3,
        n_resamples=10,
        policies={"classical": {ROW: POLICY}},
    )
    return run_bench([path], options)


def step(level: str, group: str) -> LadderStep:
    return LadderStep(
        name="row", group=group, level=level, gain=50.0, prdn=9.0, n_bytes=300
    )


def test_a_choosing_row_counts_the_frames_of_a_coded_file(
    result: BenchResult, path: Path
) -> None:
    recording = read_recording(path)
    data = Codec.load("classical").encode(recording, policy=POLICY)
    frames = list(ContainerReader(data).frames())
    row = next(row for row in result.rows if row.name == ROW)
    assert row.group == "chosen"
    assert row.payload_bytes == sum(len(frame.payload) for frame in frames)
    by_place = {(f.window_idx, f.lead): f.level_id for f in frames}
    names = {level.id: level.name for level in Codec.load("classical").levels}
    for strip in result.strips:
        lead = recording.lead_names.index(strip.lead_name)
        sent = [window.step.level for window in strip.windows]
        assert sent == [names[by_place[i, lead]] for i in range(len(sent))]


def test_strips_are_the_leads_by_gain_and_cover_them(result: BenchResult) -> None:
    assert [strip.title for strip in result.strips] == ["Lowest gain", "Median gain"]
    low, high = result.strips
    assert low.gain <= high.gain
    for strip in result.strips:
        ends = [window.stop_s for window in strip.windows]
        assert [window.start_s for window in strip.windows] == [0.0, *ends[:-1]]
        assert ends[-1] == strip.duration_s == 100.0
        assert (strip.low <= strip.high).all()


def test_the_page_draws_strips_with_a_legend(result: BenchResult) -> None:
    page = format_html(result)
    assert page.count('<svg class="strip"') == 2
    assert page.count('<div class="levels">') == 2
    assert "Which level each window gets: PRDN &lt;= 12 %" in page
    for strip in result.strips:
        for window in strip.windows:
            assert f"{window.step.level}: " in page
    # The windows to look at are those of the choosing row, each at its own level.
    assert result.examples[0].row == ROW
    assert all(other.name != ROW for other in result.examples[0].ladder)


def test_json_has_the_levels_and_the_policy(result: BenchResult) -> None:
    plain = json.loads(to_json(result))
    assert plain["options"]["policies"] == {"classical": {ROW: {"percent": 12.0}}}
    windows = plain["strips"][0]["windows"]
    assert [w["step"]["level"] for w in windows] == [
        w.step.level for w in result.strips[0].windows
    ]


def test_each_window_is_drawn_where_it_is_in_the_colour_of_its_level(
    result: BenchResult,
) -> None:
    strip = result.strips[0]
    first, second, *rest = strip.windows
    windows = (
        replace(first, step=step("lossless", LOSSLESS)),
        replace(second, step=step("wavelet_8", WAVELET)),
        *(replace(window, step=step("gain_64", NEURAL)) for window in rest),
    )
    strip = replace(strip, windows=windows)
    colours = level_colours([window.step for window in windows])
    root = ElementTree.fromstring(strip_svg(strip, colours))
    blocks = root.findall(f"{SVG}g")
    assert len(blocks) == len(windows)
    for block, window in zip(blocks, windows, strict=True):
        rect = block.find(f"{SVG}rect")
        assert rect is not None
        assert rect.get("fill") == colours[window.step.level]
        # Ten mm of margin, then 249 mm for all of a recording as short as this.
        start = 10 + 249 * window.start_s / 100
        assert float(rect.get("x", "nan")) == pytest.approx(start, abs=0.01)
        title = block.findtext(f"{SVG}title")
        assert title is not None
        assert window.step.level in title
    trace = root.find(f"{SVG}path")
    assert trace is not None
    assert trace.get("d", "").startswith("M1000 ")


def test_a_level_has_one_colour_and_less_bytes_are_lighter() -> None:
    names = ["gain_128", "gain_64", "gain_96"]
    colours = level_colours(step(name, NEURAL) for name in names)
    assert list(colours) == ["gain_64", "gain_96", "gain_128"]
    assert len(set(colours.values())) == 3
    light = [int(colour[1:3], 16) for colour in colours.values()]
    assert light == sorted(light)
    assert text_colour("#ffffff") != text_colour("#000000")


@pytest.mark.parametrize(
    ("duration_s", "row_s", "n_rows"),
    [(20.0, 60.0, 1), (100.0, 100.0, 1), (1805.6, 1805.6 / 6, 6), (86400, 14400, 6)],
)
def test_rows_have_no_stub(duration_s: float, row_s: float, n_rows: int) -> None:
    assert row_length_s(duration_s) == pytest.approx(row_s)
    svg = strip_svg(
        LevelStrip(
            title="t", row="r", record="a & b", lead_name="I", duration_s=duration_s,
            low=np.zeros(5000), high=np.ones(5000), gain=1.0, windows=(),
        ),
        {},
    )  # fmt: skip
    root = ElementTree.fromstring(svg)
    assert len(root.findall(f"{SVG}path")) == n_rows


def test_the_envelope_keeps_every_spike() -> None:
    mv = np.zeros(1001)
    mv[[17, 900]] = [5.0, -3.0]
    low, high = envelope(mv, 10)
    assert (len(low), high.max(), low.min()) == (10, 5.0, -3.0)
    assert envelope(np.ones(3), 10)[0].shape == (3,)
