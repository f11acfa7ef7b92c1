"""A checkpoint as one tar file, sent while it is read: never in memory, never on disk twice."""

import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from alignment.models import Checkpoint
from truing.errors import Refused

# What a model and its tokenizer are made of. Whatever else lies in a folder stays there.
MODEL_FILES = (
    *("config.json", "generation_config.json", "adapter_config.json"),
    *("*.safetensors", "*.safetensors.index.json"),
    *("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"),
    *("tokenizer.model", "spiece.model", "sentencepiece.bpe.model"),
    *("vocab.json", "vocab.txt", "merges.txt"),
    *("chat_template.jinja", "chat_template.json", "additional_chat_templates/*.jinja"),
)
BLOCK = tarfile.BLOCKSIZE
PIECE = 1024 * 1024


class NotHere(Refused):
    """This checkpoint is a name on the Hugging Face hub: its files are not here."""


class FilesGone(Refused):
    """The files of this checkpoint are not on this machine any more."""


@dataclass(frozen=True)
class Entry:
    """A file of the archive, and the blocks that announce it."""

    path: Path
    header: bytes
    size: int


@dataclass(frozen=True)
class Archive:
    """What is sent, and how long it is."""

    entries: list[Entry]

    @property
    def size_bytes(self) -> int:
        return sum(len(item.header) + _padded(item.size) for item in self.entries) + 2 * BLOCK

    def __iter__(self) -> Iterator[bytes]:
        for item in self.entries:
            yield item.header
            yield from _content(item.path, item.size)
            yield bytes(_padded(item.size) - item.size)
        yield bytes(2 * BLOCK)


def download(checkpoint: Checkpoint) -> Archive:
    """The files of its model and tokenizer. Links are left out: they may lead anywhere."""
    if checkpoint.is_on_hub:
        raise NotHere
    if not checkpoint.folder.is_dir():
        raise FilesGone
    found = []
    matching = chain.from_iterable(checkpoint.folder.glob(pattern) for pattern in MODEL_FILES)
    for path in sorted(set(matching)):
        if path.is_symlink() or not path.is_file():
            continue
        inside = path.relative_to(checkpoint.folder)
        if any((checkpoint.folder / parent).is_symlink() for parent in inside.parents):
            continue
        found.append(_entry(path, f"model/{inside}"))
    return Archive(found)


def _entry(path: Path, name: str) -> Entry:
    # Made before anything is sent: what cannot be announced is no archive cut in two, and the
    # length that is promised counts what a long name or a file beyond 8 GiB adds.
    entry = tarfile.TarInfo(name)
    entry.size = path.stat().st_size
    entry.mode = 0o644
    entry.mtime = int(path.stat().st_mtime)
    return Entry(path, entry.tobuf(tarfile.PAX_FORMAT), entry.size)


def _content(path: Path, size: int) -> Iterator[bytes]:
    # The header has promised a size: no more is sent, and what is missing is filled up.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    with os.fdopen(descriptor, "rb") as stream:
        while size > 0:
            piece = stream.read(min(PIECE, size)) or bytes(min(PIECE, size))
            size -= len(piece)
            yield piece


def _padded(size: int) -> int:
    return (size + BLOCK - 1) // BLOCK * BLOCK
