# SPDX-License-Identifier: Apache-2.0
"""The page's part on promises: the table, and how far each target was reached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from experiments.section import Claim, Section, Table, number, percent, with_interval

COMMAND = "python -m experiments run bound_table"
HEADER = (
    "what was asked",
    "choice",
    "gain (95 %)",
    "over (95 %)",
    "weighted F1",
    "mean F1 of N, A, O",
    "of oracle",
)
MAIN = "monitor"  # the bundle that targets were set for
CALIBRATED, ORACLE, LOSSLESS, FIXED = "calibrated", "oracle", "lossless", "fixed"


@dataclass(frozen=True)
class Target:
    """What was asked of the project.

    Attributes:
        what: in words.
        least: what had to be reached.
        aim: what was hoped for.
    """

    what: str
    least: float
    aim: float


GAINS = {
    "rhythm": Target("Rhythm within 0.1 nats of the raw answer, risk 5 %", 100, 200),
    "label": Target("Rhythm within 0.75 nats of the label", 45, 80),
    "rpeaks": Target("The same R peaks in 95 % of segments", 45, 83),
    "both": Target("Rhythm and R peaks together, risk 5 %", 60, 120),
}
RISKS = {"rhythm": 0.02, "label": 0.01}  # aims below the risk that was asked for
OF_ORACLE = Target("Calibrated choice against the oracle", 0.75, 0.9)
RAW_RHYTHM = {
    "weighted_f1": Target("Rhythm on raw windows, weighted F1", 0.86, 0.88),
    "nao_f1": Target("Rhythm on raw windows, mean F1 of N, A, O", 0.85, 0.87),
}


def section(results: Mapping[str, Any]) -> Section:
    """Return the tables of all bundles and the claims of the first."""
    blocks: list[str | Table] = [
        "Every window is sent at the level that a choice picks for it, and judged by "
        "the bundle's own task networks. Gains are raw bytes over bytes sent, sum over "
        "sum, in brackets 95 % intervals from a bootstrap by record. *Over* is the "
        "share of windows, or of segments where that was asked, that compression took "
        "over the bound. *Of oracle* is the gain over that of the choice that knows "
        "every window's error. Calibrations hold no test record.",
    ]
    for bundle, asked in results["asked"].items():
        blocks.append(_table(bundle, asked))
    blocks.append(_beats(results["beats"]))
    blocks.append(" ".join(_findings(results["asked"])))
    return Section(
        title="The bound",
        blocks=tuple(blocks),
        claims=_claims(results["asked"][MAIN], results["beats"])
        if MAIN in results["asked"]
        else (),
    )


def shown(values: Sequence[float | None], *, is_share: bool = False) -> str:
    """Return a figure with its interval; "-" where there is none."""
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return "-"
    return with_interval(known, is_share=is_share)


def row_of(asked: Mapping[str, Any], kind: str) -> Mapping[str, Any] | None:
    """Return the first row of a kind."""
    found = [row for row in asked["rows"] if row["kind"] == kind]
    return found[0] if found else None


def _asked(asked: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    return [(name, one) for name, one in asked.items() if name != "model_id"]


def _table(bundle: str, asked: Mapping[str, Any]) -> Table:
    rows = []
    for _, one in _asked(asked):
        what = f"`{one['words']}`, {_set_of(one)}"
        if one["inherent"]:
            what += f" ({percent(one['inherent'])} are over it even uncompressed)"
        for row in one["rows"]:
            if row["kind"] == LOSSLESS:
                continue
            rows.append((what, *_cells(row)))
            what = ""
    lossless = row_of(asked["rhythm"], LOSSLESS)
    if lossless is not None:
        rows.append(("no compression, CinC 2017", *_cells(lossless)))
    sizes = "; ".join(
        f"{_set_of(one)}: {one['n_windows']:,} windows of {one['n_records']} records"
        for name, one in _asked(asked)
        if name in ("rhythm", "rpeaks")
    )
    caption = f"Bundle `{bundle}`, model `{asked['model_id']}`. {sizes}."
    return Table(header=HEADER, rows=tuple(rows), caption=caption)


def _set_of(one: Mapping[str, Any]) -> str:
    data_set = one["split"].partition(":")[0]
    return {"cinc2017": "CinC 2017", "mitdb": "MIT-BIH lead 0"}.get(data_set, data_set)


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        row["choice"],
        shown(row["gain"]),
        shown(row["over"], is_share=True) if row["over"][0] else "0",
        shown(row["weighted_f1"]),
        shown(row["nao_f1"]),
        percent(row["of_oracle"], 0) if row["kind"] not in (ORACLE, LOSSLESS) else "",
    )


def _beats(beats: Mapping[str, Any]) -> str:
    return (
        "R peaks of the task on raw windows of MIT-BIH test, lead 0, against the "
        f"annotated beats within 150 ms: F1 {_four(beats['f1'])}, sensitivity "
        f"{_four(beats['sensitivity'])}, positive predictive value "
        f"{_four(beats['ppv'])}, jitter {shown(beats['jitter_ms'])} ms."
    )


def _four(values: Sequence[float]) -> str:
    value, low, high = (f"{v:.4f}" for v in values)
    return f"{value} ({low}-{high})"


def _findings(asked: Mapping[str, Any]) -> list[str]:
    """Say of each bundle whether promises held and what the heads are worth."""
    found = []
    for bundle, everything in asked.items():
        broken, better = [], []
        for name, one in _asked(everything):
            calibrated, fixed = row_of(one, CALIBRATED), row_of(one, FIXED)
            if calibrated is None:
                continue
            share, low, _ = calibrated["over"]
            if share > one["risk"]:
                where = "within its interval" if low <= one["risk"] else "broken"
                broken.append(f"{name} {percent(share)} of {percent(one['risk'])}")
                broken[-1] += f" ({where})"
            if fixed is not None:
                more = calibrated["gain"][0] / fixed["gain"][0] - 1.0
                better.append(f"{name} {100 * more:+.0f} %")
        kept = "kept every promise" if not broken else f"was over: {', '.join(broken)}"
        found.append(
            f"`{bundle}` {kept}. Against the best fixed level its choice gains: "
            f"{', '.join(better)}."
        )
    return found


def _claims(asked: Mapping[str, Any], beats: Mapping[str, Any]) -> tuple[Claim, ...]:
    claims = [_gain_claim(name, asked[name], GAINS[name]) for name in GAINS]
    claims += [_risk_claim(name, asked[name], aim) for name, aim in RISKS.items()]
    claims.append(_score_claim(asked["rhythm"]))
    claims.append(_oracle_claim(asked))
    raw = row_of(asked["rhythm"], LOSSLESS)
    if raw is not None:
        for key, target in RAW_RHYTHM.items():
            why = _reached(raw[key][0], target, high=raw[key][2])
            claims.append(_claim(target, shown(raw[key]), why))
    peaks = Target("R peaks on raw windows of MIT-BIH, F1 at 150 ms", 0.988, 0.995)
    why = _reached(beats["f1"][0], peaks, high=beats["f1"][2])
    jitter = f"; jitter {shown(beats['jitter_ms'])} ms, asked under 10"
    claims.append(_claim(peaks, _four(beats["f1"]) + jitter, why))
    return tuple(claims)


def _claim(target: Target, ours: str, why: str) -> Claim:
    asked = f"least {number(target.least)}, aim {number(target.aim)} (target)"
    return Claim(claim=target.what, command=COMMAND, paper=asked, ours=ours, why=why)


def _reached(value: float, target: Target, *, high: float | None = None) -> str:
    """Say how far a figure is from its target; higher is better."""
    if value >= target.aim:
        return "Aim reached."
    if value >= target.least:
        return f"Least reached; {percent(1.0 - value / target.aim, 0)} below the aim."
    missed = f"Missed: {percent(1.0 - value / target.least)} below the least asked"
    if high is not None and high >= target.least:
        return f"{missed}, which lies within the interval."
    return f"{missed}."


def _gain_claim(name: str, one: Mapping[str, Any], target: Target) -> Claim:
    calibrated, oracle = row_of(one, CALIBRATED), row_of(one, ORACLE)
    if calibrated is None or oracle is None:
        return _claim(target, "-", "Not measured.")
    why = _reached(calibrated["gain"][0], target, high=calibrated["gain"][2])
    best = oracle["gain"][0]
    if calibrated["gain"][0] >= target.least:
        why += f" The oracle on the same ladder: {number(best)}."
    elif best >= target.least:
        why += f" The ladder has it ({number(best)} by the oracle)"
        why += "; the error heads can't tell which windows bear it."
    else:
        why += f" The ladder does not have it: {number(best)} by the oracle."
    return _claim(target, shown(calibrated["gain"]), why)


def _risk_claim(name: str, one: Mapping[str, Any], aim: float) -> Claim:
    calibrated, risk = row_of(one, CALIBRATED), one["risk"]
    what = "avoidable violations" if name == "label" else "violations"
    asked = f"at most {percent(risk, 0)}, aim {percent(aim, 0)} (target)"
    ours, why = "-", "Not measured."
    if calibrated is not None:
        share, low, _ = calibrated["over"]
        ours = shown(calibrated["over"], is_share=True)
        why = f"Kept; the aim of {percent(aim, 0)} is missed." if share > aim else ""
        why = why or "Kept, and the aim reached."
        if share > risk:
            why = "Over" + (", within the interval." if low <= risk else ": missed.")
    title = f"{GAINS[name].what}: {what}"
    return Claim(claim=title, command=COMMAND, paper=asked, ours=ours, why=why)


def _score_claim(one: Mapping[str, Any]) -> Claim:
    sent, raw = row_of(one, CALIBRATED), row_of(one, LOSSLESS)
    ours, why = "-", "Not measured."
    if sent is not None and raw is not None:
        ours = shown(sent["weighted_f1"])
        lost = raw["weighted_f1"][0] - sent["weighted_f1"][0]
        why = f"Raw windows: {shown(raw['weighted_f1'])}; "
        why += f"{lost:.3f} lost, " + ("reached." if lost <= 0.01 else "missed.")
    title = "Rhythm within 0.1 nats, risk 5 %: weighted F1 on what was decoded"
    asked = "at most 0.01 below raw, aim raw (target)"
    return Claim(claim=title, command=COMMAND, paper=asked, ours=ours, why=why)


def _oracle_claim(asked: Mapping[str, Any]) -> Claim:
    parts, n_reached = [], 0
    for name, one in _asked(asked):
        row = row_of(one, CALIBRATED)
        if row is not None:
            parts.append(f"{name} {percent(row['of_oracle'], 0)}")
            n_reached += row["of_oracle"] >= OF_ORACLE.least
    why = f"{n_reached} of {len(parts)} reached the least. "
    why += "Whether a window bears a high level hangs on the answer of a task to what "
    why += "the decoder makes of it, of which the device knows little."
    asked_text = f"least {percent(OF_ORACLE.least, 0)}, aim {percent(OF_ORACLE.aim, 0)}"
    return Claim(
        claim="Gain of the calibrated choice over that of the oracle",
        command=COMMAND,
        paper=f"{asked_text} (target)",
        ours=", ".join(parts),
        why=why,
    )
