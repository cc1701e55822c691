"""Objects on other storage, s3:// and gs://, as paths: what reads a `Path` reads these too.

The libraries (s3fs, gcsfs) take credentials, region and endpoint from the environment or their own
files, never from audit.toml.
"""

import contextlib
import fnmatch
import functools
import hashlib
import os
import stat
from collections.abc import Callable, Generator, Iterator, Mapping
from datetime import datetime
from io import BytesIO, StringIO
from pathlib import Path, PosixPath
from typing import IO, Any

from pipeline.exceptions import ConfigError, StorageError

EXTRAS: Mapping[str, str] = {"s3": "s3", "gs": "gcs"}  # scheme -> the extra that installs it
_MARK = "://"
_CREDENTIALS = {
    "AuthFailure", "ExpiredToken", "InvalidAccessKeyId", "InvalidToken", "SignatureDoesNotMatch",
    "TokenRefreshRequired",
}  # fmt: skip
_UNSIGNED = ("Credential", "RefreshError", "TransportError")  # in the names of errors


class RemotePath(PosixPath):
    """SCHEME://BUCKET/KEY, with those methods of `Path` that datasets and shards need.

    A folder is there when an object lies under it. There are no links and no modes. Every method
    that asks the storage raises FileNotFoundError or PermissionError for one object, StorageError
    where bucket, credentials or server are at fault, and ConfigError without the library.
    """

    def __str__(self) -> str:
        """Return the address; of what is left by `relative_to`, a relative path."""
        parts = self.parts
        if not parts or not parts[0].endswith(":"):
            return "/".join(parts) or "."
        return f"{parts[0]}//{'/'.join(parts[1:])}"

    def __fspath__(self) -> str:
        """Return the address, which no local function finds."""
        return str(self)

    @property
    def scheme(self) -> str:
        """The kind of storage: s3 or gs."""
        return self.parts[0].rstrip(":")

    @property
    def key(self) -> str:
        """BUCKET/KEY, as fsspec names an object."""
        return "/".join(self.parts[1:])

    def is_absolute(self) -> bool:
        """Return true: an address is never relative to a folder."""
        return True

    def absolute(self) -> "RemotePath":
        """Return the path itself."""
        return self

    def resolve(self, strict: bool = False) -> "RemotePath":  # noqa: ARG002, FBT001, FBT002 - as of Path
        """Return the path itself: there are no links."""
        return self

    def expanduser(self) -> "RemotePath":
        """Return the path itself."""
        return self

    def is_symlink(self) -> bool:
        """Return false: there are no links."""
        return False

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:  # noqa: ARG002 - as of Path
        """Return size, time of change, and as inode a number made of the object's ETag."""
        return make_status(self.info())

    def lstat(self) -> os.stat_result:
        """Return the same as `stat`."""
        return self.stat()

    def info(self) -> Mapping[str, Any]:
        """Return what the storage says of the object, or of the folder."""
        with self._explain() as storage:
            found: Mapping[str, Any] = storage.info(self.key)
            return found

    def exists(self, *, follow_symlinks: bool = True) -> bool:  # noqa: ARG002 - as of Path
        """Return whether there is such an object or folder."""
        try:
            self.info()
        except FileNotFoundError:
            return False
        return True

    def is_file(self) -> bool:
        """Return whether there is such an object."""
        return self._get_type() == "file"

    def is_dir(self) -> bool:
        """Return whether objects lie under this address."""
        return self._get_type() == "directory"

    def _get_type(self) -> str | None:
        try:
            return str(self.info()["type"])
        except FileNotFoundError:
            return None

    def list_objects(self) -> dict[str, Mapping[str, Any]]:
        """Return every object under this address: its path from here, and what the storage says."""
        begin = f"{self.key}/"
        with self._explain() as storage:
            found: Mapping[str, Mapping[str, Any]] = storage.find(self.key, detail=True)
        return {
            name.removeprefix(begin): info
            for name, info in found.items()
            if name.startswith(begin) and not name.endswith("/")
        }

    def glob(self, pattern: str) -> Iterator["RemotePath"]:  # type: ignore[override]  # the options of later Pythons are not needed
        """Yield the objects and folders under this one that a pattern names, sorted."""
        wanted = pattern.split("/")
        found = {tuple(name.split("/")[: len(wanted)]) for name in self.list_objects()}
        for parts in sorted(found):
            if len(parts) == len(wanted) and all(map(fnmatch.fnmatchcase, parts, wanted)):
                yield self.joinpath(*parts)

    def rglob(self, pattern: str) -> Iterator["RemotePath"]:  # type: ignore[override]  # as `glob`
        """Yield the objects under this one, at any depth, whose name a pattern matches, sorted."""
        for name in sorted(self.list_objects()):
            if fnmatch.fnmatchcase(name.rpartition("/")[2], pattern):
                yield self / name

    def iterdir(self) -> Generator["RemotePath", None, None]:
        """Yield the objects and folders right under this one; raises FileNotFoundError."""
        found = list(self.glob("*"))
        if not found:
            raise FileNotFoundError(2, "No such file or directory", str(self))
        yield from found

    def read_bytes(self) -> bytes:
        """Return the whole object."""
        with self._explain() as storage:
            data: bytes = storage.cat_file(self.key)
            return data

    def read_text(self, encoding: str | None = None, errors: str | None = None) -> str:
        """Return the whole object as text."""
        return self.read_bytes().decode(encoding or "utf-8", errors or "strict")

    def open(self, mode: str = "r", *_: object, **__: object) -> IO[Any]:  # type: ignore[override]  # for reading alone
        """Return the whole object as an open file, for reading alone."""
        if mode not in ("r", "rb"):
            raise OSError(f"{self}: cannot be opened with mode {mode!r}; objects are written whole")
        return BytesIO(self.read_bytes()) if mode == "rb" else StringIO(self.read_text())

    def write_bytes(self, data: Any) -> int:  # noqa: ANN401 - any buffer, as of Path
        """Write the whole object: it is there when all of it is, in place of the one before."""
        with self._explain() as storage:
            storage.pipe_file(self.key, bytes(data))
        return len(data)

    def mkdir(self, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:  # noqa: FBT001, FBT002 - as of Path
        """Do nothing: folders come with their objects."""

    def unlink(self, missing_ok: bool = False) -> None:  # noqa: FBT001, FBT002 - as of Path
        """Remove the object; raises FileNotFoundError unless it may be missing."""
        try:
            with self._explain() as storage:
                storage.rm_file(self.key)
        except FileNotFoundError:
            if not missing_ok:
                raise

    @contextlib.contextmanager
    def _explain(self) -> Iterator[Any]:
        """Yield the storage of the scheme, and turn what its library raises into our errors."""
        storage = open_storage(self.scheme)
        try:
            yield storage
        except Exception as error:
            raise explain_storage_error(error, self) from error


def make_path(text: str) -> Path:
    """Return the path that a text names, a RemotePath for SCHEME://BUCKET/KEY.

    Raises ValueError for a scheme that is not known, or without a bucket.
    """
    if _MARK not in text:
        return Path(text)
    scheme, _, key = text.partition(_MARK)
    if scheme not in EXTRAS:
        known = ", ".join(f"{name}{_MARK}" for name in EXTRAS)
        raise ValueError(f"storage {scheme}{_MARK} is not known; known: {known} and local paths")
    if not key.strip("/"):
        raise ValueError(f"names no bucket; expected e.g. {scheme}{_MARK}bucket/folder")
    if any(part in (".", "..") for part in key.split("/")):
        raise ValueError('"." and ".." are no folders on other storage; write the whole address')
    return RemotePath(text)


def is_remote(path: Path) -> bool:
    """Return whether a path lies on other storage."""
    return isinstance(path, RemotePath)


def make_status(info: Mapping[str, Any]) -> os.stat_result:
    """Return what a storage says of an object as a status.

    st_ino is made of the ETag, which changes with every write; times are those of the last write.
    """
    kind = stat.S_IFDIR if info.get("type") == "directory" else stat.S_IFREG
    changed = info.get("LastModified") or info.get("mtime") or info.get("updated")
    if isinstance(changed, str):
        changed = datetime.fromisoformat(changed)
    nanoseconds = int(changed.timestamp() * 1e6) * 1000 if changed else 0
    tag = str(info.get("ETag") or info.get("etag") or info.get("md5Hash") or "")
    inode = int.from_bytes(hashlib.sha256(tag.encode()).digest()[:8], "big") % 2**63
    seconds = nanoseconds // 10**9
    fields = (kind | 0o600, inode, 0, 1, 0, 0, int(info.get("size") or 0), *[seconds] * 3)
    return os.stat_result((*fields, *[nanoseconds / 1e9] * 3, *[nanoseconds] * 3))


def open_storage(scheme: str, *, load: Callable[[str], Any] | None = None) -> Any:  # noqa: ANN401 - fsspec is untyped
    """Return the fsspec file system of a scheme, one a process.

    load: makes it; by default fsspec. Raises ConfigError when its library is not installed.
    """
    try:
        return (load or functools.partial(_load_storage, os.getpid()))(scheme)
    except ImportError as error:
        raise ConfigError(
            f"paths with {scheme}{_MARK} need a library that is not installed ({error}); install "
            f"it with: pip install 'weakspot[{EXTRAS[scheme]}]'"
        ) from None


def forget_storage() -> None:
    """Open storage anew when it is next used, with the credentials and endpoint of then."""
    _load_storage.cache_clear()


@functools.lru_cache(maxsize=8)
def _load_storage(_process: int, scheme: str) -> Any:  # noqa: ANN401 - fsspec is untyped
    import fsspec  # other storage alone needs it

    return fsspec.filesystem(scheme, use_listings_cache=False, skip_instance_cache=True)


def explain_storage_error(error: Exception, path: Path) -> Exception:
    """Return the error to raise in place of one that a storage's library raised at `path`."""
    code = _find_code(error)
    bucket = "/".join(path.parts[1:2])
    if code == "NoSuchBucket":
        return StorageError(f"{path}: there is no bucket {bucket!r}, or it is of another endpoint")
    unsigned = any(word in type(error).__name__ for word in _UNSIGNED)
    if code in _CREDENTIALS or unsigned:
        return StorageError(
            f"{path}: the storage does not take these credentials ({_shorten(error)}); set them as "
            "its library wants them, e.g. AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE "
            "or GOOGLE_APPLICATION_CREDENTIALS"
        )
    if isinstance(error, FileNotFoundError):
        return FileNotFoundError(2, "No such file or directory", str(path))
    if isinstance(error, PermissionError):
        return PermissionError(13, "Permission denied", str(path))
    if isinstance(error, IsADirectoryError):
        return error
    return StorageError(f"{path}: the storage cannot be used ({_shorten(error)})")


def _find_code(error: BaseException | None) -> str | None:
    """Return the code that the server gave an error, also where the library wrapped it."""
    while error is not None:
        response = getattr(error, "response", None)
        if isinstance(response, dict):
            return str(response.get("Error", {}).get("Code"))
        error = error.__cause__
    return None


def _shorten(error: Exception) -> str:
    return (str(error) or type(error).__name__).split("\n")[0][:200]
