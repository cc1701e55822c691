"""A server that speaks S3, in this process: moto keeps what it is sent, and asks for signatures."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from moto.server import ThreadedMotoServer

from pipeline.files.remote_path import RemotePath, forget_storage, make_path, open_storage

BUCKET = "audits"


class S3Server:
    """A server that can be stopped and started again at its port; it keeps what it has."""

    def __init__(self) -> None:
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._server.start()
        self._host, self._port = self._server.get_host_and_port()

    @property
    def url(self) -> str:
        return f"http://{self._host}:{self._port}"

    def stop(self) -> None:
        self._server.stop()

    def start(self) -> None:
        self._server = ThreadedMotoServer(ip_address=self._host, port=self._port, verbose=False)
        self._server.start()

    def locate(self, name: str) -> RemotePath:
        path = make_path(f"s3://{BUCKET}/{name}")
        assert isinstance(path, RemotePath)
        return path

    def put_folder(self, folder: Path, name: str) -> None:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            (self.locate(name) / file.relative_to(folder).as_posix()).write_bytes(file.read_bytes())


@contextmanager
def serve_s3(cache: Path) -> Iterator[S3Server]:
    """Start a server with one empty bucket; this process and its children use it meanwhile."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = S3Server()
    httpx.post(f"{server.url}/moto-api/reset").raise_for_status()
    environment = {
        "AWS_ACCESS_KEY_ID": "tests",
        "AWS_SECRET_ACCESS_KEY": "tests",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": server.url,
        "WEAKSPOT_CACHE": str(cache),
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        forget_storage()
        try:
            open_storage("s3").mkdir(BUCKET)
            yield server
        finally:
            server.stop()
            forget_storage()
