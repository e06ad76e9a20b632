# SPDX-License-Identifier: Apache-2.0
"""Codecs and tasks of a decode worker: each loaded once, when first needed."""

from __future__ import annotations

from dataclasses import dataclass

from dynamic_deep.bundle import Bundle
from dynamic_deep.cloud.decode_settings import DEFAULT_TASK_BUNDLE, DecodeSettings
from dynamic_deep.codec import Codec
from dynamic_deep.errors import ConfigError
from dynamic_deep.tasks import Task, load_task, task_names
from dynamic_deep.tasks.own import is_own_task


@dataclass(frozen=True, kw_only=True)
class TaskSet:
    """The tasks that run on a session.

    Attributes:
        bundled: tasks of a bundle, by name.
        own: tasks of the user's own, by their own names.
        model_id: of the bundle of the former, hexadecimal; None if there are none.
    """

    bundled: dict[str, Task]
    own: dict[str, Task]
    model_id: str | None


class DecodeTools:
    """What a worker decodes and judges with.

    Args:
        settings: of the job.

    Raises:
        ModelError: If a bundle that the settings name is missing or damaged.
        ConfigError: If there is no such task.
    """

    def __init__(self, settings: DecodeSettings) -> None:
        self._codecs: dict[bytes, Codec] = {}
        for place in settings.bundles:
            codec = Codec.load(place)
            self._codecs[codec.model_id] = codec
        self._asked = [name for name in settings.tasks if not is_own_task(name)]
        self._task_bundle = settings.task_bundle
        default = self._codec_named(settings.task_bundle or DEFAULT_TASK_BUNDLE)
        self._default = default.bundle
        self._own: dict[str, Task] = {}
        for name in settings.tasks:
            if is_own_task(name):
                task = load_task(self._default, name)
                if task.name in self._own:
                    raise ConfigError(
                        "tasks of your own must have different names, got two named "
                        f"{task.name!r}; rename one"
                    )
                self._own[task.name] = task
        self._sets: dict[bytes, TaskSet] = {}
        self._of_default = self._load(self._default)

    @property
    def own_names(self) -> tuple[str, ...]:
        """Names of the tasks of the user's own."""
        return tuple(self._own)

    def codec_for(self, model_id: bytes) -> Codec:
        """Return the codec of the bundle that a session names.

        Raises:
            ModelError: If it is neither shipped nor named by the settings.
        """
        if model_id not in self._codecs:
            self._codecs[model_id] = Codec.for_model(model_id)
        return self._codecs[model_id]

    def tasks_for(self, bundle: Bundle) -> TaskSet:
        """Return the tasks to run on a session that was written with a bundle.

        All of them have their networks from the same bundle.
        """
        brings_all = set(self._asked) <= set(task_names(bundle))
        if self._task_bundle is not None or not brings_all or not self._asked:
            return self._of_default
        if bundle.model_id not in self._sets:
            self._sets[bundle.model_id] = self._load(bundle)
        return self._sets[bundle.model_id]

    def _codec_named(self, place: str) -> Codec:
        codec = Codec.load(place)
        return self._codecs.setdefault(codec.model_id, codec)

    def _load(self, bundle: Bundle) -> TaskSet:
        if bundle is self._default and bundle.model_id in self._sets:
            return self._sets[bundle.model_id]
        tasks = TaskSet(
            bundled={name: load_task(bundle, name) for name in self._asked},
            own=self._own,
            model_id=bundle.model_id.hex() if self._asked else None,
        )
        self._sets[bundle.model_id] = tasks
        return tasks
