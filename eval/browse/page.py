"""The built files of the viewer's page."""

from importlib import resources

from medvision_agent.errors import StorageError

__all__ = ["TYPES", "page_files"]

TYPES = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "ico": "image/x-icon",
    "js": "text/javascript; charset=utf-8",
    "png": "image/png",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
    "woff2": "font/woff2",
}
"""The types of files that the page may have, by their endings."""
_PACKAGE = "medvision_agent.viewer"


def page_files() -> dict[str, bytes]:
    """Return the contents of the page's files by file name; raises StorageError if they are not installed."""
    files = sorted(resources.files(_PACKAGE).iterdir(), key=lambda file: file.name)
    found = {file.name: file.read_bytes() for file in files if file.name.rpartition(".")[2] in TYPES and file.is_file()}
    if "index.html" not in found:
        raise StorageError(f"the viewer's page is not installed ({_PACKAGE}); install medvision-agent again")
    return found
