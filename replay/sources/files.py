"""Files as lines, or as blocks of whole lines: plain, gzip, zstd, xz or zip by their first bytes, streaming, and robust
against what downloads do to files. zstd needs the extra `columns`.
"""

from __future__ import annotations

import io
import lzma
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import IO, Any, BinaryIO

from replay.sources.report import SourceError

LINE_MAX = 1 << 24
"""A longer line is cut, so that no reader takes it for a whole one: memory must not grow with the file."""

BOM = b"\xef\xbb\xbf"
"""What some programs write ahead of text in UTF-8. It is no part of the first line."""

LINES_SEEN = 10
"""So many lines at the start of a file tell its format."""

_GZIP = b"\x1f\x8b"
_ZIPS = (b"PK\x03\x04", b"PK\x05\x06")
_XZ = b"\xfd7zXZ\x00"
_ZSTD = b"\x28\xb5\x2f\xfd"
_BLOCK = 1 << 18
_PIECE = 1 << 12
"""zstd is unpacked by so many bytes: where the stream is cut, no more than these are lost."""

INSTALL = 'install it with pip install "ringfence[columns]", in a checkout -e ".[columns]"'
"""What to do where a format needs a library that is not there."""


class Lines:
    """The lines of a file, each with its newline; only the last one may lack it. Given a `piece`, lines longer than so
    many bytes come in pieces. Of several files in a zip, the one with `member` in its name is read.

    `damage` says, once the lines are used up, why a compressed file ended before its end, or is empty. What such an end
    cut in the middle is no line. `packing` is how it is compressed: gzip, zstd, xz, zip, or empty for not at all.
    """

    def __init__(self, path: Path, piece: int = 0, member: str = "_message_") -> None:
        self._path = path
        self._piece = piece
        self._member = member
        self._tell: Callable[[], int] = int
        self.damage = ""
        self.packing = ""

    @property
    def position(self) -> int:
        """How many bytes of the file, as it is stored, were read so far."""
        return self._tell()

    def __iter__(self) -> Generator[bytes, None, None]:
        """Raise SourceError where the file cannot be opened or read."""
        return self._reading(self._lines)

    def blocks(self, size: int) -> Iterator[bytes]:
        """The same lines, so many whole ones at a time that they have about `size` bytes. Raises SourceError."""
        return self._reading(lambda reader, packed: self._blocks(reader, packed, size))

    def pieces(self, size: int) -> Iterator[bytes]:
        """The bytes, wherever lines end, so many at a time; for files that are no text. Raises SourceError."""
        return self._reading(lambda reader, _packed: iter(lambda: reader.read(size), b""))

    def _reading(self, cut: Callable[[Reader, Packed | None], Iterator[bytes]]) -> Generator[bytes, None, None]:
        try:
            with self._path.open("rb") as file:
                self._tell = file.tell
                try:
                    packed = self._packed(file)
                    reader = io.BufferedReader(packed, _BLOCK) if packed else file
                    if reader.peek(len(BOM))[: len(BOM)] == BOM:
                        reader.read(len(BOM))
                    yield from cut(reader, packed)
                    self.damage = packed.damage if packed else ""
                finally:  # a reading that is given up may be collected after its file was
                    size = 0 if file.closed else file.tell()
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
        start, rest = file.read(4), file.read(2)
        file.seek(0)
        if start[:2] == _GZIP:
            self.packing = "gzip"
            return _Gunzip(file)
        if start in _ZIPS:
            self.packing = "zip"
            return _Unzip(file, self._member)
        if start + rest == _XZ:
            self.packing = "xz"
            return _Unxz(file)
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


class Packed(io.RawIOBase):
    """The plain bytes of a packed file. What is damaged ends it, with `damage` saying how."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.damage = ""

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill the buffer; 0 at the end."""
        plain = b"" if self.damage else self._unpack(len(buffer))
        buffer[: len(plain)] = plain
        return len(plain)

    def _unpack(self, most: int) -> bytes:
        """The next bytes, so many at most; none at the end, and where the file is damaged."""
        raise NotImplementedError


class _Gunzip(Packed):
    """gzip, of one or more members."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self._unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
        self._packed = b""

    def _unpack(self, most: int) -> bytes:
        plain = b""
        while not plain and not self.damage and self._more():
            try:
                plain = self._unpacker.decompress(self._packed, most)
            except zlib.error as error:
                self.damage = f"the gzip stream is damaged ({error})"
            self._packed = self._unpacker.unconsumed_tail
        return plain

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


class _Unzip(Packed):
    """zip, with one file in it, or one that has so much in its name."""

    def __init__(self, file: BinaryIO, wanted: str) -> None:
        super().__init__(file)
        self._wanted = wanted
        self._member: IO[bytes] | None = None

    def _unpack(self, most: int) -> bytes:
        plain = b""
        try:
            member = self._member = self._member or self._open()
            plain = b"" if member is None else member.read(most)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
            self.damage = f"the zip archive is cut off or damaged ({error})"
        if not plain:
            self._file.seek(0, io.SEEK_END)
        return plain

    def _open(self) -> IO[bytes] | None:
        archive = zipfile.ZipFile(self._file)
        members = [member for member in archive.infolist() if not member.is_dir()]
        named = [member for member in members if self._wanted in member.filename]
        if len(members) == 1 or len(named) == 1:
            return archive.open((named or members)[0])
        self.damage = f"the zip archive holds {len(members)} files, not one"
        return None


class _Unzstd(Packed):
    """zstd, of one or more frames."""

    def __init__(self, file: BinaryIO) -> None:
        import pyarrow

        super().__init__(file)
        self._stream: Any = pyarrow.CompressedInputStream(file, "zstd")

    def _unpack(self, most: int) -> bytes:
        try:
            return bytes(self._stream.read(min(most, _PIECE)))
        except OSError as error:
            self.damage = f"the zstd stream is cut off or damaged ({error})"
            return b""


class _Unxz(Packed):
    """xz, of one or more streams."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self._unpacker = lzma.LZMADecompressor(lzma.FORMAT_XZ)

    def _unpack(self, most: int) -> bytes:
        plain = b""
        while not plain and not self.damage and (packed := self._more()) is not None:
            try:
                plain = self._unpacker.decompress(packed, most)
            except lzma.LZMAError as error:
                self.damage = f"the xz stream is damaged ({error})"
        return plain

    def _more(self) -> bytes | None:
        """Packed bytes, as many as are needed; None at the end of the file."""
        if self._unpacker.eof:
            packed = (self._unpacker.unused_data or self._file.read(_BLOCK)).lstrip(b"\0")
            self._unpacker = lzma.LZMADecompressor(lzma.FORMAT_XZ)
            return packed or None
        packed = self._file.read(_BLOCK) if self._unpacker.needs_input else b""
        if self._unpacker.needs_input and not packed:
            self.damage = "the xz stream ends early"
            return None
        return packed


Reader = BinaryIO | io.BufferedReader
