# SPDX-License-Identifier: Apache-2.0
"""A store in a bucket of Google Cloud Storage. Needs the extra `cloud`.

Uploads over 8 MiB are resumable, smaller ones go in one request; both are checked by
CRC-32C at the service, and whole downloads here. Every request is tried again with
growing pauses until a deadline. STORAGE_EMULATOR_HOST names another service.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, NamedTuple, cast

from dynamic_deep.cloud.range_file import RangeFile
from dynamic_deep.cloud.store_base import (
    StoreConflictError,
    StoredObject,
    StoreError,
    StoreMissingError,
    check_name,
    check_prefix,
    conflict,
    missing,
)
from dynamic_deep.errors import ConfigError

DEADLINE_S = 120.0  # for all tries of a request together
_REQUEST_S = 30.0
_CHECKSUM = "crc32c"
_KIND = "application/octet-stream"
_FIRST_PAUSE_S = 0.2


class _Errors(NamedTuple):
    """The classes of the library's errors."""

    missing: type[Exception]
    precondition: type[Exception]
    behind_end: type[Exception]
    any: tuple[type[Exception], ...]


class _Google(NamedTuple):
    """What is used of the library."""

    client_class: Any
    retry: Any
    errors: _Errors


class GcsStore:
    """Objects in a bucket, all below one prefix. See `Store`.

    Args:
        url: gs://BUCKET or gs://BUCKET/PREFIX.
        deadline_s: how long a request is tried again.

    Attributes:
        url: as given, without a slash at the end.

    Raises:
        ConfigError: If the address is wrong, or the extra `cloud` is not installed.
        StoreError: If this machine has no credentials.
    """

    def __init__(self, url: str, *, deadline_s: float = DEADLINE_S) -> None:
        self.url = url.rstrip("/")
        bucket, _, prefix = url.removeprefix("gs://").rstrip("/").partition("/")
        if not bucket or not url.startswith("gs://"):
            raise ConfigError(
                f"a bucket must be given as gs://BUCKET/PREFIX, got {url!r}; name it"
            )
        self._base = f"{check_name(prefix)}/" if prefix else ""
        google = _load()
        self._errors = google.errors
        self._retry = google.retry.with_timeout(deadline_s).with_delay(
            initial=_FIRST_PAUSE_S
        )
        self._options = {"timeout": min(_REQUEST_S, deadline_s), "retry": self._retry}
        with self._translated(self.url):
            self._bucket = google.client_class().bucket(bucket)

    def put(self, name: str, data: bytes, *, if_generation: int | None = None) -> int:
        """See `Store.put`."""
        blob = self._blob(name)
        with self._translated(name, if_generation):
            blob.upload_from_string(
                data,
                content_type=_KIND,
                if_generation_match=if_generation,
                checksum=_CHECKSUM,
                **self._options,
            )
        return int(blob.generation)

    def stat(self, name: str) -> StoredObject:
        """See `Store.stat`."""
        blob = self._blob(name)
        with self._translated(name):
            blob.reload(**self._options)
        return self._stored(blob)

    def get(self, name: str) -> bytes:
        """See `Store.get`."""
        with self._translated(name):
            data = self._blob(name).download_as_bytes(
                checksum=_CHECKSUM, **self._options
            )
        return cast(bytes, data)

    def read_range(self, name: str, start: int, length: int) -> bytes:
        """See `Store.read_range`."""
        return self._range(self._blob(name), start, length)

    def open(self, name: str, *, stored: StoredObject | None = None) -> BinaryIO:
        """See `Store.open`."""
        found = stored or self.stat(name)
        pinned = self._blob(name, generation=found.generation)

        def fetch(start: int, length: int) -> bytes:
            return self._range(pinned, start, length)

        return cast(BinaryIO, RangeFile(fetch, found.size))

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        """See `Store.list`."""
        full = self._base + check_prefix(prefix)
        with self._translated(self.url):
            for blob in self._bucket.list_blobs(prefix=full, **self._options):
                yield self._stored(blob)

    def folders(self, prefix: str = "") -> Iterator[str]:
        """See `Store.folders`."""
        full = self._base + check_prefix(prefix)
        with self._translated(self.url):
            pages = self._bucket.list_blobs(
                prefix=full, delimiter="/", **self._options
            ).pages
            names: set[str] = set()  # a folder may come on two pages
            for page in pages:
                names.update(page.prefixes)
        for name in sorted(names):
            yield name.removeprefix(full).rstrip("/")

    def delete(self, name: str, *, if_generation: int | None = None) -> None:
        """See `Store.delete`."""
        with self._translated(name, if_generation):
            self._blob(name).delete(if_generation_match=if_generation, **self._options)

    def _blob(self, name: str, generation: int | None = None) -> Any:
        full = self._base + check_name(name)
        return self._bucket.blob(full, generation=generation)

    def _stored(self, blob: Any) -> StoredObject:
        return StoredObject(
            name=blob.name.removeprefix(self._base),
            size=int(blob.size),
            generation=int(blob.generation),
        )

    def _range(self, blob: Any, start: int, length: int) -> bytes:
        if length <= 0:
            return b""
        name = blob.name.removeprefix(self._base)
        with self._translated(name, blob.generation):
            try:
                with _closing_answers(self._errors):
                    data = blob.download_as_bytes(
                        start=start,
                        end=start + length - 1,
                        checksum=None,
                        **self._options,
                    )
            except self._errors.behind_end:
                return b""
        return cast(bytes, data)

    @contextmanager
    def _translated(self, name: str, wanted: int | None = None) -> Iterator[None]:
        """Turn the library's errors into ours."""
        errors = self._errors
        try:
            with _closing_answers(errors):
                yield
        except errors.missing as exc:
            if wanted:
                raise conflict(name, 0, wanted) from exc
            if name == self.url:
                raise StoreMissingError(
                    f"a bucket must be there, got none for {name}; make it first"
                ) from exc
            raise missing(name) from exc
        except errors.precondition as exc:
            raise StoreConflictError(
                f"{name} must be generation {wanted} (0: not there), and is not; "
                "another writer was there, read it again"
            ) from exc
        except errors.any as exc:
            reason = " ".join(str(exc).split())[:300]
            raise StoreError(
                f"the store must answer for {name}, got {type(exc).__name__}: "
                f"{reason}; check the bucket, the account's rights and the network"
            ) from exc


@contextmanager
def _closing_answers(errors: _Errors) -> Iterator[None]:
    """Close the connection of an answer that is an error; the library leaves it."""
    try:
        yield
    except errors.any as exc:
        response = getattr(exc, "response", None)
        if response is not None:
            response.close()
        raise


def _load() -> _Google:
    """Import the library, which takes a second."""
    # It would ask for the bucket's settings on its own, which needs one more right.
    os.environ.setdefault("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", "true")
    try:
        import requests
        from google.api_core import exceptions
        from google.auth.exceptions import GoogleAuthError
        from google.cloud import storage
        from google.cloud.storage.exceptions import DataCorruption, InvalidResponse
        from google.cloud.storage.retry import DEFAULT_RETRY
    except ImportError as exc:
        raise ConfigError(
            f"gs:// needs google-cloud-storage, which is not there ({exc}); install "
            "dynamic-deep[cloud]"
        ) from exc
    errors = _Errors(
        missing=exceptions.NotFound,
        precondition=exceptions.PreconditionFailed,
        behind_end=exceptions.RequestRangeNotSatisfiable,
        any=(
            exceptions.GoogleAPIError,
            GoogleAuthError,
            DataCorruption,
            InvalidResponse,
            requests.RequestException,
        ),
    )
    return _Google(storage.Client, DEFAULT_RETRY, errors)
