"""A request's body as blocks of bytes: unpacked, within its limit, and never whole in memory."""

import zlib
from collections.abc import Iterator
from typing import Any, Final, Protocol

import zstandard
from django.http import HttpRequest
from django.http.request import UnreadablePostError

BLOCK: Final = 256 * 1024
JSON_BYTES: Final = 32 * 1024 * 1024
JSON_TYPES: Final = frozenset(("application/json",))
LINES_TYPES: Final = frozenset(
    ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines")
)
# The widest window that RFC 9659 lets a body over HTTP ask for: it is held in memory whole.
WIDEST_ZSTD: Final = 8 * 1024 * 1024
# By what Content-Encoding says: how zlib tells what it reads, or 0 for what is not packed.
PACKINGS: Final = {"identity": 0, "": 0, "gzip": 31, "x-gzip": 31, "deflate": 15}


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class BodyRefused(Exception):
    """A body that is not read, or not read on: the status to answer with, and the sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


def media_type(request: HttpRequest) -> str:
    """What the body is said to be, checked. Raises BodyRefused."""
    said = (request.content_type or "").lower()
    if said not in JSON_TYPES | LINES_TYPES:
        named = f"{said[:80]} is not read here" if said else "The request does not say what its body is"
        raise BodyRefused(
            415, f"{named}. Send Content-Type: application/json, or application/x-ndjson for one case a line."
        )
    charset = (request.content_params or {}).get("charset", "utf-8").strip("\"'").lower()
    if charset not in ("utf-8", "utf8", "us-ascii"):
        raise BodyRefused(415, f"JSON is sent in UTF-8, not in {charset[:40]}.")
    return said


def blocks(request: HttpRequest, most: int) -> Iterator[bytes]:
    """The body in blocks, at most `most` bytes of it once unpacked. Raises BodyRefused, perhaps half-way."""
    packing = request.headers.get("Content-Encoding", "identity").strip().lower()
    is_zstd = packing == "zstd"
    if packing not in PACKINGS and not is_zstd:
        raise BodyRefused(415, f"Content-Encoding: {packing[:40]} is not understood. Send gzip, or nothing.")
    raw = _raw(_stream(request, most))
    wbits = 0 if is_zstd else PACKINGS[packing]
    read = 0
    for block in _unpacked_zstd(raw) if is_zstd else _unpacked(raw, wbits) if wbits else raw:
        read += len(block)
        if read > most:
            raise too_large(most)
        yield block


def whole(request: HttpRequest, most: int = JSON_BYTES) -> bytes:
    """All of a small body."""
    return b"".join(blocks(request, most))


def too_large(most: int) -> BodyRefused:
    sentence = f"The body is larger than {most // 1024 // 1024} MB. Send it in parts."
    if most == JSON_BYTES:
        sentence += " One case a line (application/x-ndjson) may be larger."
    return BodyRefused(413, sentence)


def _stream(request: HttpRequest, most: int) -> Readable:
    length = request.META.get("CONTENT_LENGTH") or ""
    if length:
        if length.isdigit() and int(length) > most:
            raise too_large(most)
        return request
    if request.META.get("wsgi.input_terminated"):
        # A body sent in chunks has no length: Django would take it for empty, the server's own stream ends by itself.
        stream: Readable = request.META["wsgi.input"]
        return stream
    if request.headers.get("Transfer-Encoding"):
        raise BodyRefused(411, "The body's length is not known here. Send it with a Content-Length.")
    return request


def _raw(stream: Readable) -> Iterator[bytes]:
    try:
        while block := stream.read(BLOCK):
            yield block
    except (UnreadablePostError, OSError):
        raise BodyRefused(400, "The connection broke before the body had ended.") from None


def _unpacked(raw: Iterator[bytes], wbits: int) -> Iterator[bytes]:
    """Unpacks block by block, so that a small body that swells is stopped at the limit, not in memory."""
    member = zlib.decompressobj(wbits=wbits)
    began = False
    try:
        for block in raw:
            while block:
                began = True
                yield member.decompress(block, BLOCK)
                block = member.unconsumed_tail
                if member.eof:
                    block = member.unused_data
                    member, began = zlib.decompressobj(wbits=wbits), bool(block)
            # What still stands in the window comes out with the next block, or here, without any input.
        while began and (rest := member.decompress(b"", BLOCK)):
            yield rest
    except zlib.error:
        raise BodyRefused(400, "The body is not gzip or deflate, as Content-Encoding says, or it is damaged.") from None
    if began and not member.eof:
        raise BodyRefused(400, "The packed body ends before its end. It was probably cut off on the way.")


def _unpacked_zstd(raw: Iterator[bytes]) -> Iterator[bytes]:
    """The same for zstd, whose window is bounded: a frame may ask for more memory than there is."""
    packed: Any = _Joined(raw)
    try:
        with zstandard.ZstdDecompressor(max_window_size=WIDEST_ZSTD).stream_reader(
            packed, read_size=BLOCK, read_across_frames=True
        ) as reader:
            while block := reader.read(BLOCK):
                yield block
    except zstandard.ZstdError:
        raise BodyRefused(400, "The body is not zstd, as Content-Encoding says, or it is damaged.") from None


class _Joined:
    """Blocks as a stream."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self.blocks, self.rest = blocks, b""

    def read(self, size: int = -1) -> bytes:
        block = self.rest or next(self.blocks, b"")
        self.rest = block[size:] if size >= 0 else b""
        return block[:size] if size >= 0 else block
