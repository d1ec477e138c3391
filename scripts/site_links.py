"""A hook of MkDocs: links from the documents to other files of the repository become text that names the file.

The documents are read in the repository first, where such links work. The site holds the documents alone.
"""

import re
from pathlib import Path, PurePosixPath
from typing import Any

_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s#:]+)(#[^)\s]*)?\)")
_DOCS = Path(__file__).parent.parent / "docs"


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Return a page whose links out of the documents are text."""
    return plain(markdown, PurePosixPath(page.file.src_uri).parent)


def plain(markdown: str, folder: PurePosixPath) -> str:
    """Return Markdown of a page in *folder*, relative to the documents, without links to files outside of them."""

    def text(link: re.Match[str]) -> str:
        if "://" in link[2]:
            return link[0]
        target = (_DOCS / folder / link[2]).resolve()
        if target.is_relative_to(_DOCS.resolve()):
            return link[0]
        name = target.relative_to(_DOCS.parent.resolve()).as_posix()
        return link[1] if name in link[1] else f"{link[1]} (`{name}`)"

    return _LINK.sub(text, markdown)
