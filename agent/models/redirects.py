"""What in the environment sends requests, and the pictures in them, elsewhere than a model's row says.

Base URLs are always passed on, so that no variable replaces them, and tracing is off; what is left are proxies.
These are honoured, because many institutions have no other way out, but never in silence.
"""

import ipaddress
import os
from collections.abc import Mapping
from urllib.parse import urlsplit

from medvision_agent.agent.config import ModelConfig

__all__ = ["redirections"]

_PROXIES = ("ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY")


def redirections(config: ModelConfig, environ: Mapping[str, str] = os.environ) -> list[str]:
    """Return a line for each proxy variable that requests of the model may go through; never its user or password."""
    url = getattr(config, "base_url", None)
    if url is None:
        return []
    own = f"{urlsplit(url).scheme.upper()}_PROXY"
    host = urlsplit(url).hostname or ""
    lines = []
    for name in _PROXIES:
        proxy = environ.get(name.lower()) or environ.get(name)
        if proxy and name in {own, "ALL_PROXY"} and not _exempt(host, environ):
            lines.append(f"{name} is set: requests to {host}, pictures included, go through {_host(proxy)}")
    return lines


def _exempt(host: str, environ: Mapping[str, str]) -> bool:
    named = (environ.get("no_proxy") or environ.get("NO_PROXY") or "").split(",")
    return any(part.strip() == "*" or _within(host, part.strip().lstrip(".")) for part in named if part.strip())


def _within(host: str, domain: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(domain, strict=False)
    except ValueError:
        return host == domain or host.endswith(f".{domain}")


def _host(proxy: str) -> str:
    parts = urlsplit(proxy if "//" in proxy else f"//{proxy}")
    try:
        port = parts.port
    except ValueError:
        port = None
    return f"{parts.hostname or 'a proxy'}{f':{port}' if port else ''}"
