"""Files as lines, or as blocks of whole lines: plain, gzip, zstd or zip by their first bytes, streaming, and robust
against what downloads do to files. zstd needs the extra `columns`.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, BinaryIO

from replay.sources.report import SourceError

LINE_MAX = 1 << 24
"""A longer line is cut, so that no reader takes it for a whole one: memory must not grow with the file."""

LINES_SEEN = 10
"""So many lines at the start of a file tell its format."""

_GZIP = b"\x1f\x8b"
_ZIPS = (b"PK\x03\x04", b"PK\x05\x06")
_ZSTD = b"\x28\xb5\x2f\xfd"
_BLOCK = 1 << 18
_PIECE = 1 << 12
"""zstd is unpacked by so many bytes: where the stream is cut, no more than these are lost."""

INSTALL = 'install it with pip install "ringfence[columns]", in a checkout -e ".[columns]"'
"""What to do where a format needs a library that is not there."""


class Lines:
    """The lines of a file, each with its newline; only the last one may lack it. Given a `piece`, lines longer than so
    many bytes come in pieces.

    `damage` says, once the lines are used up, why a compressed file ended before its end, or is empty. What such an end
    cut in the middle is no line. `packing` is how it is compressed: gzip, zstd, zip, or empty for not at all.
    """

    def __init__(self, path: Path, piece: int = 0) -> None:
        self._path = path
        self._piece = piece
        self._tell: Callable[[], int] = int
        self.damage = ""
        self.packing = ""

    @property
    def position(self) -> int:
        """How many bytes of the file, as it is stored, were read so far."""
        return self._tell()

    def __iter__(self) -> Iterator[bytes]:
        """Raise SourceError where the file cannot be opened or read."""
        return self._reading(self._lines)

    def blocks(self, size: int) -> Iterator[bytes]:
        """The same lines, so many whole ones at a time that they have about `size` bytes. Raises SourceError."""
        return self._reading(lambda reader, packed: self._blocks(reader, packed, size))

    def _reading(self, cut: Callable[[Reader, Packed | None], Iterator[bytes]]) -> Iterator[bytes]:
        try:
            with self._path.open("rb") as file:
                self._tell = file.tell
                try:
                    packed = self._packed(file)
                    yield from cut(io.BufferedReader(packed, _BLOCK) if packed else file, packed)
                    self.damage = packed.damage if packed else ""
                finally:
                    size = file.tell()
                    self._tell = lambda: size
        except OSError as error:
            raise SourceError(f"{self._path}: {error.strerror}; name a file that can be read") from error

    def _lines(self, reader: Reader, packed: Packed | None) -> Iterator[bytes]:
        while line := reader.readline(self._piece or LINE_MAX):
            if line[-1:] != b"\n" and len(line) != self._piece:
                if len(line) == LINE_MAX:
                    _drop_rest_of_line(reader)
                    line = line[:-1] + b"\n"
                elif packed and packed.damage:
                    break
            yield line

    @staticmethod
    def _blocks(reader: Reader, packed: Packed | None, size: int) -> Iterator[bytes]:
        rest = b""
        while piece := reader.read(size):
            block = rest + piece
            end = block.rfind(b"\n") + 1
            rest = block[end:]
            if len(rest) >= LINE_MAX:
                _drop_rest_of_line(reader)
                block, end, rest = block[:-1] + b"\n", len(block), b""
            if end:
                yield block[:end]
        if rest and not (packed and packed.damage):
            yield rest

    def _packed(self, file: BinaryIO) -> Packed | None:
        start = file.read(4)
        file.seek(0)
        if start[:2] == _GZIP:
            self.packing = "gzip"
            return _Gunzip(file)
        if start in _ZIPS:
            self.packing = "zip"
            return _Unzip(file)
        if start == _ZSTD:
            self.packing = "zstd"
            try:
                return _Unzstd(file)
            except ImportError as error:
                raise SourceError(f"{self._path}: zstd needs the extra `columns`; {INSTALL}") from error
        return None


def _drop_rest_of_line(reader: Reader) -> None:
    while (rest := reader.readline(LINE_MAX)) and rest[-1:] != b"\n":
        pass


class _Gunzip(io.RawIOBase):
    """The plain bytes of a gzip file of one or more members. What is damaged ends it, with `damage` saying how."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
        self._packed = b""
        self.damage = ""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill the buffer; 0 at the end."""
        plain = b""
        while not plain and not self.damage and self._more():
            try:
                plain = self._unpacker.decompress(self._packed, len(buffer))
            except zlib.error as error:
                self.damage = f"the gzip stream is damaged ({error})"
            self._packed = self._unpacker.unconsumed_tail
        buffer[: len(plain)] = plain
        return len(plain)

    def _more(self) -> bool:
        """Make packed bytes ready, those of the next member if need be; False at the end of the file."""
        if self._unpacker.eof:
            self._packed = (self._unpacker.unused_data or self._file.read(_BLOCK)).lstrip(b"\0")
            if self._packed:
                self._unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
            return bool(self._packed)
        self._packed = self._packed or self._file.read(_BLOCK)
        if not self._packed:
            self.damage = "the gzip stream ends early"
        return bool(self._packed)


class _Unzip(io.RawIOBase):
    """The plain bytes of the only file in a zip archive. What is damaged ends it, with `damage` saying how."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._member: IO[bytes] | None = None
        self.damage = ""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill the buffer; 0 at the end."""
        plain = b""
        try:
            member = self._member = self._member or self._open()
            plain = b"" if self.damage or member is None else member.read(len(buffer))
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
            self.damage = f"the zip archive is cut off or damaged ({error})"
        if not plain:
            self._file.seek(0, io.SEEK_END)
        buffer[: len(plain)] = plain
        return len(plain)

    def _open(self) -> IO[bytes] | None:
        archive = zipfile.ZipFile(self._file)
        members = [member for member in archive.infolist() if not member.is_dir()]
        if len(members) == 1:
            return archive.open(members[0])
        self.damage = f"the zip archive holds {len(members)} files, not one"
        return None


class _Unzstd(io.RawIOBase):
    """The plain bytes of a zstd file of one or more frames. What is damaged ends it, with `damage` saying how."""

    def __init__(self, file: BinaryIO) -> None:
        import pyarrow

        self._stream: Any = pyarrow.CompressedInputStream(file, "zstd")
        self.damage = ""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill the buffer; 0 at the end."""
        plain = b""
        try:
            plain = b"" if self.damage else self._stream.read(min(len(buffer), _PIECE))
        except OSError as error:
            self.damage = f"the zstd stream is cut off or damaged ({error})"
        buffer[: len(plain)] = plain
        return len(plain)


Packed = _Gunzip | _Unzip | _Unzstd
Reader = BinaryIO | io.BufferedReader
