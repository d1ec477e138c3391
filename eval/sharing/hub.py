"""Uploading a folder of shared runs to the Hugging Face Hub, as a data set repository and in one commit.

Contract: a new repository is private unless the caller says otherwise, and one that holds files is replaced only with
*force*. A private share never goes into a public repository. The key is read by ``huggingface_hub`` itself, from
``HF_TOKEN`` or its own file; it is written and printed nowhere. ``HF_ENDPOINT`` says which server is asked.
"""

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from httpx2 import HTTPError

from medvision_agent.errors import ConfigError, ProviderError, StorageError
from medvision_agent.eval.sharing.folder import files_in
from medvision_agent.version import VERSION

if TYPE_CHECKING:
    from huggingface_hub import HfApi

__all__ = ["check_repository", "upload"]

_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
_KEPT = {".gitattributes"}
"""The files that the Hub writes itself."""
_LOG_IN = "log in with `hf auth login`, or set HF_TOKEN to a key that may write"


def check_repository(name: str) -> str:
    """Return *name* if it is the name of a repository, ORG/NAME.

    Raises ConfigError if it is not, or if huggingface_hub is not installed.
    """
    if not _NAME.fullmatch(name) or ".." in name or "--" in name:
        raise ConfigError(f"--to hub:{name}: expected hub:ORG/NAME, such as hub:my-lab/tools-study")
    _api()
    return name


def upload(folder: Path, repository: str, *, public: bool, force: bool) -> str:
    """Upload all files of a folder to a data set repository in one commit, and return the repository's address.

    A missing repository is created, private unless *public*. Raises StorageError if the repository holds files and not
    *force*, or is public and not *public*; ProviderError if the server refuses or cannot be reached.
    """
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete  # noqa: PLC0415 - an extra
    from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError  # noqa: PLC0415
    from huggingface_hub.utils import disable_progress_bars  # noqa: PLC0415

    if not sys.stderr.isatty():
        disable_progress_bars()
    api = _api()
    try:
        made = api.create_repo(repository, repo_type="dataset", private=not public, exist_ok=True)
        there = api.repo_info(repository, repo_type="dataset")
        _check(repository, there, public=public, force=force)
        files = files_in(folder)
        earlier = {one.rfilename for one in there.siblings or ()} - _KEPT - {file.name for file in files}
        operations: list[Any] = [CommitOperationDelete(name) for name in sorted(earlier)]
        operations += [CommitOperationAdd(file.name, str(folder / file.name)) for file in files]
        words = f"Share runs with medvision-agent {VERSION}"
        api.create_commit(repository, operations, commit_message=words, repo_type="dataset")
    except HfHubHTTPError as error:
        raise ProviderError(_refusal(repository, error)) from None
    except LocalTokenNotFoundError:
        raise ProviderError(f"hub:{repository}: no access key was found; {_LOG_IN}") from None
    except (HTTPError, OSError) as error:
        raise ProviderError(
            f"hub:{repository}: the server cannot be reached ({type(error).__name__}); check the network and "
            "HF_ENDPOINT"
        ) from None
    return str(made)


def _check(repository: str, there: Any, *, public: bool, force: bool) -> None:
    held = sorted({one.rfilename for one in there.siblings or ()} - _KEPT)
    if held and not force:
        what = f"the repository holds files already, such as {held[0]!r}"
        raise StorageError(f"hub:{repository}: {what}; share to another name, or replace its files with --force")
    if not public and there.private is False:
        raise StorageError(f"hub:{repository}: the repository is public; make it private, or share with --public")


def _refusal(repository: str, error: Any) -> str:
    """Return an error message about a server's refusal, without the server's text, which may repeat sent data."""
    status = getattr(error.response, "status_code", None)
    known = {
        401: _LOG_IN,
        403: "the key may not write there; use one that may, or another ORG",
        404: "there is no such ORG, or the key may not see it",
    }
    return f"hub:{repository}: the server refused with status {status}; {known.get(status or 0, 'try again later')}"


def _api() -> "HfApi":
    try:
        from huggingface_hub import HfApi  # noqa: PLC0415 - an extra
    except ImportError:
        raise ConfigError("--to hub needs huggingface_hub: pip install 'medvision-agent[hub]'") from None
    return HfApi(library_name="medvision-agent", library_version=VERSION)
