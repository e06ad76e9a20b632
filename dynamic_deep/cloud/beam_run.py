# SPDX-License-Identifier: Apache-2.0
"""Runs a decode job with Apache Beam; the graph is the same for every runner.

    Create(job) -> ListSessions -> Reshuffle -> DecodeSession -> SumReports
        -> WriteReport

Workers write rows and marks themselves, as the local pool does, so that nothing large
passes through the runner, and work that a runner tries again finds what is done.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from dynamic_deep.cloud.decode_job import DecodeJob, read_report
from dynamic_deep.cloud.decode_report import JobReport
from dynamic_deep.cloud.store import open_store
from dynamic_deep.errors import ConfigError, DynamicDeepError

IN_PROCESS = "FnApiRunner"
RUNNERS = (IN_PROCESS, "DataflowRunner", "FlinkRunner", "SparkRunner")


def run_beam(job: DecodeJob, runner: str, options: Sequence[str] = ()) -> JobReport:
    """Run a job, and wait for its report.

    Args:
        job: the job; all workers must reach both stores by their URLs.
        runner: one of `RUNNERS`.
        options: Beam's own, as on its command line.

    Raises:
        ConfigError: If Beam is not installed, or there is no such runner.
        DynamicDeepError: If the pipeline did not end well.
    """
    beam = require_beam()
    from apache_beam.options.pipeline_options import PipelineOptions

    job.decoder()  # what is wrong with the job shows here, and not on the workers
    next(job.entries(), None)
    try:
        pipeline = beam.Pipeline(_runner(runner), PipelineOptions(list(options)))
        build_graph(pipeline, job)
        state = str(pipeline.run().wait_until_finish())
    except DynamicDeepError:
        raise
    except (RuntimeError, ValueError, ImportError) as error:
        state = " ".join(str(error).split()) or type(error).__name__
    if state != "DONE":
        raise DynamicDeepError(
            f"a pipeline must end as DONE, got {state}; see the log of {runner}, the "
            "sessions that are done will be kept"
        )
    return read_report(open_store(job.out_url))


def build_graph(pipeline: Any, job: DecodeJob) -> Any:
    """Append a job to a pipeline, and return its last step."""
    beam = require_beam()
    from dynamic_deep.cloud.beam_steps import DecodeSession, list_sessions, put_report

    return (
        pipeline
        | "Job" >> beam.Create([job])
        | "ListSessions" >> beam.FlatMap(list_sessions)
        | "Reshuffle" >> beam.Reshuffle()
        | "DecodeSession" >> beam.ParDo(DecodeSession(job))
        | "SumReports" >> beam.CombineGlobally(JobReport.sum)
        | "WriteReport" >> beam.Map(put_report, job.out_url)
    )


def require_beam() -> Any:
    """Return the module apache_beam.

    Raises:
        ConfigError: If it is not installed.
    """
    silenced = logging.root.manager.disable
    logging.disable(logging.WARNING)  # Beam names each of its extras that is not there
    try:
        import apache_beam
    except ImportError as error:
        raise ConfigError(
            "a runner other than local needs Apache Beam, which is not installed; run "
            'pip install "dynamic-deep[beam,cloud]"'
        ) from error
    finally:
        logging.disable(silenced)
    return apache_beam


def _runner(name: str) -> Any:
    """Return a runner; the one in this process by its class.

    By its name Beam might start another program for it, which it fetches first.
    """
    if name not in RUNNERS:
        raise ConfigError(
            f"a runner must be local or one of {', '.join(RUNNERS)}, got {name!r}"
        )
    if name != IN_PROCESS:
        return name
    from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner

    return FnApiRunner()
