"""A CSV file of any origin as rows of text: its encoding, its separator, its lines.

Spreadsheets write UTF-8 with or without a byte order mark, UTF-16, or Windows-1252; commas, semicolons, tabs, bars."""

from __future__ import annotations

import codecs
import csv
import io
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from digest.errors import UsageError

CHUNK = 1 << 20
_SPOOLED = 8 << 20
_SEPARATORS = ",;\t|"
_FORMULA = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")

Position = Callable[[int, int], None]
"""Is told, now and then, how many bytes of how many have been read."""
_TELL_EVERY = 500


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its first line in the file, from 1; its cells, or what is wrong with it."""

    line: int
    cells: list[str]
    problem: str = ""


def records(stream: BinaryIO, position: Position | None = None) -> Iterator[Record]:
    """Every record, the heading first, in constant memory; blank lines are left out.

    A record that is no CSV (RFC 4180) is told and the next is read. Raises UsageError where the bytes are no text."""
    with _seekable(stream) as source:
        length = source.seek(0, io.SEEK_END)
        source.seek(0)
        encoding = _encoding(source)
        text = io.TextIOWrapper(source, encoding=encoding, errors="replace", newline="")
        try:
            first = text.readline(65_536)
            separator = _declared(first) or max(_SEPARATORS, key=_unquoted(first).count)
            text.seek(0)
            found = _records(csv.reader(text, delimiter=separator, strict=True), declared=bool(_declared(first)))
            for count, record in enumerate(found):
                if position and count % _TELL_EVERY == 0:
                    position(source.tell(), length)
                yield record
            if position:
                position(length, length)
        finally:
            text.detach()


def harmless(cell: str) -> str:
    """A cell that a spreadsheet would take for a formula gets an apostrophe (OWASP, CSV injection); so does one that
    looks as if it had one, so that `plain` gives each back as it was."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def plain(cell: str) -> str:
    """A cell without the apostrophe that keeps a spreadsheet from taking it for a formula."""
    return cell[1:] if cell[:1] == "'" and _FORMULA.match(cell) else cell


def _records(reader: Any, *, declared: bool) -> Iterator[Record]:
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            last = reader.line_num
            span = f"it and the lines up to {last} are lost to it: " if last > line else ""
            yield Record(line, [], f"{span}{_plainly(str(error))}")
            continue
        if any(cell.strip() for cell in cells) and not (declared and line == 1):
            yield Record(line, cells)


def _plainly(message: str) -> str:
    if "unexpected end of data" in message or "field larger" in message:
        return "a quotation mark is opened and not closed"
    if "expected after" in message:
        return "a quotation mark stands within a quoted cell; write it twice"
    return message


def _seekable(stream: BinaryIO) -> BinaryIO:
    """The bytes in a file of our own: its end is looked at before its beginning is believed."""
    spooled = tempfile.SpooledTemporaryFile(max_size=_SPOOLED)  # noqa: SIM115 (the caller closes it)
    shutil.copyfileobj(stream, spooled, CHUNK)
    spooled.seek(0)
    return spooled  # type: ignore[return-value]


def _encoding(source: BinaryIO) -> str:
    """By its byte order mark; else UTF-16 by its zeros; else UTF-8 if all of it is; else Windows-1252."""
    start = source.read(4_096)
    source.seek(0)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    zeros = start.count(0)
    if zeros > len(start) // 4:
        return "utf-16-le" if start[1::2].count(0) > zeros // 2 else "utf-16-be"
    if zeros:
        raise UsageError("this file is not text", mend="save the spreadsheet as CSV (UTF-8)")
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while part := source.read(CHUNK):
            decoder.decode(part)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252"
    finally:
        source.seek(0)
    return "utf-8-sig"


def _declared(first: str) -> str:
    """The separator of a first line `sep=;`, which Excel writes and reads."""
    line = first.lstrip("\ufeff").rstrip("\r\n").strip('"')
    return line[4] if len(line) == 5 and line.lower().startswith("sep=") and line[4] in _SEPARATORS else ""


def _unquoted(line: str) -> str:
    return "".join(line.split('"')[::2])
