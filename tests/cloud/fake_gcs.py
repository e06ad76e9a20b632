# SPDX-License-Identifier: Apache-2.0
"""A small Cloud Storage of our own, which enforces preconditions as the real one does.

Only what the store uses of the JSON API: upload in one request and resumable, read
whole and by range, metadata, list with prefix and delimiter, delete.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import google_crc32c

PAGE_LEN = 3  # objects in an answer to `list`: every test sees several pages


class Bucket:
    """What the fake holds, and what it was asked."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, int]] = {}
        self.uploads: dict[str, tuple[str, int | None, bytearray]] = {}
        self.generation = 1_000
        self.requests: list[str] = []
        self.fail_next: list[int] = []  # statuses to answer with, before anything
        self.lose_answers = 0  # uploads that succeed and are answered by 503
        self.lock = threading.Lock()

    def put(self, name: str, data: bytes, wanted: int | None) -> dict[str, Any]:
        found = self.objects.get(name, (b"", 0))[1]
        if wanted is not None and wanted != found:
            raise Answer(412, f"generation is {found}, not {wanted}")
        self.generation += 1
        self.objects[name] = (data, self.generation)
        if self.lose_answers:
            self.lose_answers -= 1
            raise Answer(503, "the answer is lost")
        return self.metadata(name)

    def find(self, name: str, generation: int | None) -> bytes:
        data, found = self.objects.get(name, (b"", 0))
        if not found or generation not in (None, found):
            raise Answer(404, f"no such object: {name}")
        return data

    def metadata(self, name: str) -> dict[str, Any]:
        data, generation = self.objects[name]
        return {
            "kind": "storage#object",
            "bucket": "ward",
            "name": name,
            "size": str(len(data)),
            "generation": str(generation),
            "metageneration": "1",
            "crc32c": crc32c(data),
        }


class Answer(Exception):
    """A status that is not 200."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def crc32c(data: bytes) -> str:
    return base64.b64encode(google_crc32c.Checksum(data).digest()).decode()


class Handler(BaseHTTPRequestHandler):
    """One request."""

    bucket: Bucket
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self.answer()

    def do_POST(self) -> None:
        self.answer()

    def do_PUT(self) -> None:
        self.answer()

    def do_DELETE(self) -> None:
        self.answer()

    def answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(length)
        url = urlsplit(self.path)
        self.query = {key: values[0] for key, values in parse_qs(url.query).items()}
        with self.bucket.lock:
            self.bucket.requests.append(f"{self.command} {self.path}")
            try:
                if self.bucket.fail_next:
                    raise Answer(self.bucket.fail_next.pop(0), "asked to fail")
                status, data, headers = self.route(url.path)
            except Answer as answer:
                error = {"code": answer.status, "message": str(answer)}
                status, headers = answer.status, {}
                data = json.dumps({"error": error}).encode()
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def route(self, path: str) -> tuple[int, bytes, dict[str, str]]:
        if path == "/upload/storage/v1/b/ward/o":
            return self.upload()
        if path == "/storage/v1/b/ward/o":
            return as_json(self.listed())
        match = re.fullmatch(r"(?:/download)?/storage/v1/b/ward/o/(.+)", path)
        if match is None:
            raise Answer(404, f"no such bucket: {path}")
        name = unquote(match[1])
        data = self.bucket.find(name, self.number("generation"))
        if self.command == "DELETE":
            wanted = self.number("ifGenerationMatch")
            if wanted not in (None, self.bucket.objects[name][1]):
                raise Answer(412, "another generation")
            del self.bucket.objects[name]
            return 204, b"", {}
        if self.query.get("alt") == "media":
            return self.media(data)
        return as_json(self.bucket.metadata(name))

    def number(self, key: str) -> int | None:
        return int(self.query[key]) if key in self.query else None

    def upload(self) -> tuple[int, bytes, dict[str, str]]:
        wanted = self.number("ifGenerationMatch")
        if self.query["uploadType"] == "multipart":
            kind = self.headers["Content-Type"].encode()
            whole = BytesParser().parsebytes(b"Content-Type: " + kind + b"\n\n")
            boundary = b"--" + whole.get_boundary().encode()
            _, first, second, _ = self.body.split(boundary)
            facts = json.loads(first.split(b"\r\n\r\n", 1)[1])
            data = second.split(b"\r\n\r\n", 1)[1].removesuffix(b"\r\n")
            if facts.get("crc32c", crc32c(data)) != crc32c(data):
                raise Answer(400, "the checksum is wrong")
            return as_json(self.bucket.put(facts["name"], data, wanted))
        if "upload_id" not in self.query:
            token = f"upload-{len(self.bucket.uploads)}"
            name = json.loads(self.body)["name"]
            self.bucket.uploads[token] = (name, wanted, bytearray())
            host = self.headers["Host"]
            place = f"http://{host}/upload/storage/v1/b/ward/o?uploadType=resumable"
            return 200, b"", {"Location": f"{place}&upload_id={token}"}
        return self.resume(self.query["upload_id"])

    def resume(self, token: str) -> tuple[int, bytes, dict[str, str]]:
        name, wanted, held = self.bucket.uploads[token]
        match = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", self.headers["Content-Range"])
        assert match is not None
        assert int(match[1]) == len(held)
        held += self.body
        if len(held) < int(match[2]):
            return 308, b"", {"Range": f"bytes=0-{len(held) - 1}"}
        return as_json(self.bucket.put(name, bytes(held), wanted))

    def media(self, data: bytes) -> tuple[int, bytes, dict[str, str]]:
        headers = {"X-Goog-Hash": f"crc32c={crc32c(data)}"}
        match = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if match is None:
            return 200, data, headers
        start, stop = int(match[1]), min(int(match[2]) + 1, len(data))
        if start >= len(data):
            raise Answer(416, "behind the end")
        place = {"Content-Range": f"bytes {start}-{stop - 1}/{len(data)}"}
        return 206, data[start:stop], headers | place

    def listed(self) -> dict[str, Any]:
        prefix, delimiter = self.query.get("prefix", ""), self.query.get("delimiter")
        found = [n for n in sorted(self.bucket.objects) if n.startswith(prefix)]
        items, folders = [], []
        for name in found:
            below = name.removeprefix(prefix)
            if delimiter and delimiter in below:
                folders.append(prefix + below.split(delimiter)[0] + delimiter)
            else:
                items.append(self.bucket.metadata(name))
        folders = list(dict.fromkeys(folders))
        at = int(self.query.get("pageToken", "0"))
        more = {} if at + PAGE_LEN >= max(len(items), len(folders)) else at + PAGE_LEN
        page = slice(at, at + PAGE_LEN)
        answer = {"items": items[page], "prefixes": folders[page]}
        return answer | ({"nextPageToken": str(more)} if more else {})


def as_json(answer: dict[str, Any]) -> tuple[int, bytes, dict[str, str]]:
    return 200, json.dumps(answer).encode(), {"Content-Type": "application/json"}


@contextmanager
def serving() -> Iterator[tuple[Bucket, str]]:
    """Yield the bucket `ward` and the address of its service."""
    bucket = Bucket()
    handler = type("BoundHandler", (Handler,), {"bucket": bucket})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients go
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield bucket, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
