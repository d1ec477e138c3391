"""A hook of MkDocs: the page of benchmarks, and links from the documents to other files of the repository.

The documents are read in the repository first, where such links work. The site holds the documents and the page of
benchmarks alone, so a link to any other file becomes text that names the file.
"""

import re
from pathlib import Path, PurePosixPath
from typing import Any

_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s#:]+)(#[^)\s]*)?\)")
_ROOT = Path(__file__).parent.parent
_DOCS = _ROOT / "docs"
_BENCHMARKS = PurePosixPath("benchmarks/README.md"), PurePosixPath("benchmarks.md")
"""Where the page of benchmarks is in the repository, and where in the site."""


def on_files(files: Any, *, config: Any) -> Any:
    """Add the page of benchmarks to the files of the site."""
    from mkdocs.structure.files import File  # noqa: PLC0415 - of the extra docs

    content = (_ROOT / _BENCHMARKS[0]).read_text(encoding="utf-8")
    files.append(File.generated(config, str(_BENCHMARKS[1]), content=content))
    return files


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Return a page whose links lead to pages of the site, or are text."""
    source = PurePosixPath(page.file.src_uri)
    return plain(markdown, _BENCHMARKS[0].parent if source == _BENCHMARKS[1] else PurePosixPath("docs") / source.parent)


def plain(markdown: str, folder: PurePosixPath) -> str:
    """Return the Markdown of a page in a *folder* of the repository, without links to files missing from the site."""

    def text(link: re.Match[str]) -> str:
        if "://" in link[2]:
            return link[0]
        target = (_ROOT / folder / link[2]).resolve()
        name = PurePosixPath(target.relative_to(_ROOT.resolve()).as_posix())
        if target.is_relative_to(_DOCS.resolve()) or name == _BENCHMARKS[0]:
            return f"[{link[1]}]({_in_site(name, folder)}{link[3] or ''})"
        return link[1] if str(name) in link[1] else f"{link[1]} (`{name}`)"

    return _LINK.sub(text, markdown)


def _in_site(name: PurePosixPath, folder: PurePosixPath) -> str:
    """Return the path of a file of the site, relative to the page of a file in *folder*."""
    page = _BENCHMARKS[1] if name == _BENCHMARKS[0] else name.relative_to("docs")
    own = PurePosixPath() if folder == _BENCHMARKS[0].parent else folder.relative_to("docs")
    return str(PurePosixPath(*[".."] * len(own.parts)) / page)
