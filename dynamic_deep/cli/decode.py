# SPDX-License-Identifier: Apache-2.0
"""`decode`: .ddc files back to recordings."""

from __future__ import annotations

import argparse
import contextlib
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from dynamic_deep.cli import text
from dynamic_deep.cli.batch import Progress, run_batch
from dynamic_deep.cli.bundles import codec_for
from dynamic_deep.cli.encode_report import failure
from dynamic_deep.cli.failures import UsageError, report
from dynamic_deep.cli.files import (
    STANDARD,
    copy_to_stdout,
    naming,
    open_source,
    print_out,
    require_free,
    temporary_folder,
)
from dynamic_deep.cli.inspection import damage_summary, describe_damage
from dynamic_deep.cli.plan import DDC, Job, bare_name, plan_folder, plan_one
from dynamic_deep.cli.progress import ProgressBar
from dynamic_deep.container import ContainerReader
from dynamic_deep.errors import CorruptError
from dynamic_deep.recording import create_recording

WFDB = "wfdb"
HEADED = {WFDB: ".dat", "mat": ".mat"}  # formats with a .hea beside the samples
WFDB_SUFFIXES = ("", ".hea", ".dat")
ENDINGS = {WFDB: "", "edf": ".edf", "csv": ".csv", "mat": ".mat", "npz": ".npz"}


def run(args: argparse.Namespace) -> int:
    """Decode a file, a folder or standard input."""
    if args.json and args.output == STANDARD:
        raise UsageError("--json and -o - both write to standard output; choose one")
    if args.input == STANDARD:
        return _run_stdin(args)
    source = Path(args.input)
    ending = ENDINGS[args.format or WFDB]
    if source.is_dir():
        return _run_folder(args, source, ending)
    job = plan_one(source, args.output, ending)
    fmt = chosen_format(args.format, job.target)
    with open_source(source) as stream:
        return _run_one(args, stream, job, fmt)


def chosen_format(fmt: str | None, target: Path | None) -> str:
    """Return the format to write.

    Args:
        fmt: What --format says.
        target: The file to write; None is standard output.

    Raises:
        UsageError: If the two contradict each other, or a WFDB record, which is two
            files, would go to standard output.
    """
    if target is None:
        if fmt == WFDB:
            raise UsageError("a WFDB record is two files; --format csv fits -o -")
        return fmt or "csv"
    suffix = target.suffix.lower()
    by_suffix = {".edf": "edf", ".csv": "csv", ".mat": "mat", ".npz": "npz"}
    meant = by_suffix.get(suffix, WFDB if suffix in WFDB_SUFFIXES else None)
    if fmt is not None and meant not in (None, fmt) and suffix:
        raise UsageError(f"--format {fmt} contradicts -o {target}; leave one out")
    if suffix == DDC:
        raise UsageError(f"-o {target} would name a recording like a coded file")
    return fmt or meant or WFDB


def written_files(target: Path, fmt: str) -> list[Path]:
    """Return the files that a recording of this name and format consists of."""
    if fmt not in HEADED:
        return [target]
    bare = bare_name(target)
    return [bare.with_name(bare.name + suffix) for suffix in (".hea", HEADED[fmt])]


def decode_one(
    stream: BinaryIO, job: Job, fmt: str, bundle: str | None, progress: Progress
) -> dict[str, Any]:
    """Decode one file.

    Args:
        stream: The coded file; need not be seekable.
        job: Where it came from and where the recording goes.
        fmt: The format to write.
        bundle: The bundle to decode with; None finds the one that the file names.
        progress: Called with (done, total).

    Returns:
        What `--json` prints of it.
    """
    reader = ContainerReader(stream)
    info, codec = reader.header.info, codec_for(reader.header, bundle)
    # One stream holds no .hea beside the samples; MAT v5 stands alone.
    written_format = "mat5" if fmt == "mat" and job.target is None else fmt
    with (
        whole_recording(job.target, fmt) as path,
        create_recording(path, info, written_format) as writer,
    ):
        summary = codec.decode_file(reader, writer, progress=progress)
        if not summary.n_samples:
            raise CorruptError(
                "a file must hold a whole frame to be decoded, got none; see "
                "`dynamic-deep info`"
            )
    files = [] if job.target is None else written_files(job.target, fmt)
    return {
        "source": str(job.source),
        "target": STANDARD if job.target is None else str(job.target),
        "format": fmt,
        "files": [str(path) for path in files],
        "n_leads": info.n_leads,
        "fs": info.fs,
        "n_samples": summary.n_samples,
        "duration_s": summary.n_samples / info.fs,
        "damage": describe_damage(summary.damage, info),
    }


@contextlib.contextmanager
def whole_recording(target: Path | None, fmt: str) -> Iterator[Path]:
    """Give the path to write to; what is meant for standard output goes there after.

    Args:
        target: The recording to write; None is standard output.
        fmt: Its format.
    """
    if target is not None:
        with naming(target):
            yield target
        return
    with temporary_folder() as folder:
        path = folder / f"decoded{ENDINGS[fmt]}"
        yield path
        copy_to_stdout(path)


def _run_stdin(args: argparse.Namespace) -> int:
    output = args.output if args.output is not None else STANDARD
    if args.json and output == STANDARD:
        raise UsageError("--json needs -o OUT when standard input is decoded")
    job = plan_one(Path("stdin"), output, ENDINGS[args.format or WFDB])
    fmt = chosen_format(args.format, job.target)
    with open_source(STANDARD) as stream:
        return _run_one(args, stream, job, fmt)


def _run_one(args: argparse.Namespace, stream: BinaryIO, job: Job, fmt: str) -> int:
    if job.target is not None:
        require_free(written_files(job.target, fmt), force=args.force)
    with ProgressBar(f"decoding {job.source.name}", quiet=args.quiet) as bar:
        result = decode_one(stream, job, fmt, args.bundle, bar)
    if args.json:
        print_out(text.as_json(result))
    elif not args.quiet and job.target is not None:
        print_out(result_line(result))
    return warn_damage(result)


def _run_folder(args: argparse.Namespace, folder: Path, ending: str) -> int:
    sources = sorted(path for path in folder.rglob(f"*{DDC}") if path.is_file())
    jobs = plan_folder(folder, sources, args.output, ending)
    fmt = args.format or WFDB
    work = functools.partial(_decode_in_folder, fmt, args.bundle, args.force)
    results: list[dict[str, Any]] = []
    failed: list[dict[str, str]] = []
    status = 0
    with ProgressBar(f"decoding {folder}", quiet=args.quiet) as bar:
        for outcome in run_batch(jobs, work, n_workers=args.jobs, bar=bar):
            if outcome.result is None:
                failed.append(failure(outcome.job, outcome.error))
                continue
            results.append(outcome.result)
            status |= warn_damage(outcome.result)
            if not (args.quiet or args.json):
                print_out(result_line(outcome.result))
    n_damaged = sum(bool(result["damage"]) for result in results)
    if args.json:
        files = sorted(results, key=lambda result: str(result["source"]))
        counts = {"n_files": len(results), "n_damaged": n_damaged}
        counts["n_failed"] = len(failed)
        print_out(text.as_json({**counts, "files": files, "failed": failed}))
    elif not args.quiet:
        print_out(_total_line(len(results), n_damaged, len(failed)))
    return 1 if failed else status


def _decode_in_folder(
    fmt: str, bundle: str | None, force: bool, job: Job, progress: Progress
) -> dict[str, Any]:
    if job.target is not None:
        require_free(written_files(job.target, fmt), force=force)
        job.target.parent.mkdir(parents=True, exist_ok=True)
    with open_source(job.source) as stream:
        return decode_one(stream, job, fmt, bundle, progress)


def warn_damage(result: dict[str, Any]) -> int:
    """Report what was lost; return the exit status."""
    if not result["damage"]:
        return 0
    summary = damage_summary(result["damage"])
    report(f"{result['source']}: {summary}; what is lost was filled with 0 mV")
    return 1


def result_line(result: dict[str, Any]) -> str:
    """Return one line about a decoded recording."""
    names = " + ".join(result["files"])
    leads = text.plural(result["n_leads"], "lead")
    length = text.duration(result["duration_s"])
    return f"{names}: {leads}, {length} at {result['fs']:g} Hz"


def _total_line(n_files: int, n_damaged: int, n_failed: int) -> str:
    parts = [text.plural(n_files, "recording")]
    if n_damaged:
        parts.append(f"{n_damaged:,} of them damaged")
    if n_failed:
        parts.append(f"{n_failed:,} failed")
    return "total: " + "; ".join(parts)
