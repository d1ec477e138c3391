"""Bytes and CPU of packing a trace: by zlib and by zstd, alone, against another trace, or with a trained dictionary.

Usage: python benchmarks/packing.py RUN      (the arm ``on`` of a folder that scale.py keeps, 500 samples or more)
"""

import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import zstandard

from medvision_agent.eval.store.read import reading
from medvision_agent.eval.store.seal import traces_in

TRAINED_ON = 100
MEASURED = 400


def main() -> None:
    """Print a line for each way."""
    with reading(Path(sys.argv[1])) as database:
        texts = [(trace.json or "").encode() for trace in traces_in(database, "FROM record ORDER BY rowid")]
    first, rest = texts[0], texts[TRAINED_ON : TRAINED_ON + MEASURED]
    print(f"{sum(map(len, rest)) / len(rest):.0f} bytes of text, mean of {len(rest)}")
    _measure("zlib 6", lambda text: zlib.compress(text, 6), rest)
    _measure("zlib 6, first trace", lambda text: _deflated(text, first), rest)
    raw = zstandard.DICT_TYPE_RAWCONTENT
    for name, words in (
        ("zstd 3", None),
        ("zstd 3, first trace", zstandard.ZstdCompressionDict(first, dict_type=raw)),
        (f"zstd 3, trained on {TRAINED_ON}", zstandard.train_dictionary(1 << 15, texts[:TRAINED_ON])),
    ):
        if words is not None:
            words.precompute_compress(level=3)
        compressor = zstandard.ZstdCompressor(dict_data=words) if words else zstandard.ZstdCompressor(level=3)
        _measure(name, compressor.compress, rest)


def _deflated(text: bytes, words: bytes) -> bytes:
    packer = zlib.compressobj(6, zdict=words)
    return packer.compress(text) + packer.flush()


def _measure(name: str, pack: Callable[[bytes], bytes], texts: list[bytes]) -> None:
    start = time.process_time()
    size = sum(len(pack(text)) for text in texts)
    cpu = time.process_time() - start
    print(f"{name:24} {size / len(texts):6.0f} bytes {1e6 * cpu / len(texts):6.0f} us")


if __name__ == "__main__":
    main()
