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
class Archive:
    """What is sent, and how long it is."""

    files: list[tuple[Path, tarfile.TarInfo]]

    @property
    def size_bytes(self) -> int:
        return sum(BLOCK + _padded(entry.size) for _, entry in self.files) + 2 * BLOCK

    def __iter__(self) -> Iterator[bytes]:
        for path, entry in self.files:
            yield entry.tobuf(tarfile.USTAR_FORMAT)
            yield from _content(path, entry.size)
            yield bytes(_padded(entry.size) - entry.size)
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
        entry = tarfile.TarInfo(f"model/{inside}")
        entry.size = path.stat().st_size
        entry.mode = 0o644
        entry.mtime = int(path.stat().st_mtime)
        found.append((path, entry))
    return Archive(found)


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
