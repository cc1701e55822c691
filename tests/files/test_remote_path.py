"""Addresses as paths, what a storage says as a status, and its errors as ours; no server."""

import pickle
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.exceptions import ConfigError, StorageError
from pipeline.files.remote_path import (
    RemotePath,
    explain_storage_error,
    is_remote,
    make_path,
    make_status,
    open_storage,
)

PLACE = RemotePath("s3://bucket/folder/image.jpg")


def test_an_address_is_a_path_that_keeps_its_form() -> None:
    assert str(PLACE) == "s3://bucket/folder/image.jpg"
    assert (PLACE.scheme, PLACE.key) == ("s3", "bucket/folder/image.jpg")
    assert str(PLACE.parent / "other" / "b.png") == "s3://bucket/folder/other/b.png"
    assert PLACE.relative_to(make_path("s3://bucket")).as_posix() == "folder/image.jpg"
    assert (PLACE.name, PLACE.stem, PLACE.suffix) == ("image.jpg", "image", ".jpg")
    assert pickle.loads(pickle.dumps(PLACE)) == PLACE  # noqa: S301 - our own bytes
    assert PLACE.is_absolute()
    assert str(PLACE.absolute()) == str(PLACE.resolve()) == str(PLACE)


def test_local_paths_stay_local() -> None:
    assert make_path("folder/a") == Path("folder/a")
    assert [is_remote(make_path(text)) for text in ("/a", "a", "gs://b/a")] == [False, False, True]


@pytest.mark.parametrize("text", ["http://server/a", "s3://", "s3:///a/..", "gs://b/../c"])
def test_other_addresses_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"known|bucket|folders"):
        make_path(text)


def test_a_status_changes_with_the_etag_and_takes_the_names_of_both_storages() -> None:
    at = datetime(2026, 1, 2, tzinfo=UTC)
    s3 = make_status({"type": "file", "size": 7, "LastModified": at, "ETag": '"a"'})
    other = make_status({"type": "file", "size": 7, "LastModified": at, "ETag": '"b"'})
    gcs = make_status({"type": "file", "size": 7, "updated": at.isoformat(), "etag": '"a"'})
    assert (s3.st_size, s3.st_mtime_ns) == (7, int(at.timestamp()) * 10**9)
    assert s3.st_ino != other.st_ino
    assert (s3.st_ino, s3.st_mtime_ns) == (gcs.st_ino, gcs.st_mtime_ns)


@pytest.mark.parametrize(("scheme", "extra"), [("s3", "s3"), ("gs", "gcs")])
def test_a_library_that_is_not_installed_is_named_with_its_extra(scheme: str, extra: str) -> None:
    def load(_scheme: str) -> object:
        raise ImportError("Please install it")

    with pytest.raises(ConfigError, match=rf"pip install 'weakspot\[{extra}\]'"):
        open_storage(scheme, load=load)


class NoCredentialsError(Exception):
    """Named as botocore names it."""


class ClientError(Exception):
    """An error with the answer of a server, as botocore raises it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.response = {"Error": {"Code": code}}


def wrap(error: OSError, code: str) -> OSError:
    error.__cause__ = ClientError(code)
    return error


@pytest.mark.parametrize(
    ("raised", "kind", "words"),
    [
        (FileNotFoundError("x"), FileNotFoundError, "No such file"),
        (PermissionError("x"), PermissionError, "Permission denied"),
        (wrap(FileNotFoundError("x"), "NoSuchBucket"), StorageError, "there is no bucket 'bucket'"),
        (wrap(PermissionError("x"), "ExpiredToken"), StorageError, "does not take these cred"),
        (NoCredentialsError("none"), StorageError, "AWS_ACCESS_KEY_ID"),
        (OSError("reset by peer\nmore"), StorageError, r"cannot be used \(reset by peer\)"),
    ],
)
def test_errors_are_of_one_object_or_of_the_whole_storage(
    raised: Exception, kind: type[Exception], words: str
) -> None:
    explained = explain_storage_error(raised, PLACE)
    assert type(explained) is kind
    with pytest.raises(kind, match=words):
        raise explained
    assert str(PLACE) in str(explained)
