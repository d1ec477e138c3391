"""Environment variables that send requests, with their images, elsewhere than a model's row says.

Base URLs are always passed on, so that no variable replaces them, and tracing is off. Proxies remain:
they are used, because many institutions need them, but always reported. Where the factory of a
LangChain model sends requests is unknown: every variable that may redirect them is reported.
"""

import ipaddress
import os
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from medvision_agent.agent.models import LangChain, ModelConfig

__all__ = ["redirections"]

_PROXIES = ("ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY")
_PLACE = re.compile(r"_(BASE_URL|API_URL|API_BASE|ENDPOINT|GATEWAY)$")
"""Endings of variables by which libraries set the address of a service."""


def redirections(config: ModelConfig, environ: Mapping[str, str] = os.environ) -> list[str]:
    """Return a warning for each variable that may redirect the model's requests, without users and passwords.

    Empty if no such variable is set, and for a model that sends no requests.
    """
    if isinstance(config, LangChain):
        return _of_a_factory(config, environ)
    url = getattr(config, "base_url", None)
    if url is None:
        return []
    own = f"{urlsplit(url).scheme.upper()}_PROXY"
    host = urlsplit(url).hostname or ""
    lines = []
    for name in _PROXIES:
        proxy = _of(name, environ)
        if proxy and name in {own, "ALL_PROXY"} and not _exempt(host, environ):
            lines.append(f"{name} is set: requests to {host}, images included, go through {_host(proxy)}")
    return lines


def _of_a_factory(config: LangChain, environ: Mapping[str, str]) -> list[str]:
    """Return a warning for each variable that may redirect requests of a LangChain model, whose URL is unknown."""
    placed = any(
        isinstance(value, str) and value.startswith(("http://", "https://")) for value in config.settings.values()
    )
    lines = []
    for name, value in sorted(environ.items()):
        proxy, place = name.upper().endswith("_PROXY") and name.upper() != "NO_PROXY", _PLACE.search(name)
        if value and (proxy or (place and not placed)):
            lines.append(f"{name} is set: requests of {config.model}, images included, may go to {_host(value)}")
    return lines


def _of(name: str, environ: Mapping[str, str]) -> str:
    """Return the value of a variable as HTTP libraries read it: the lower-case name takes precedence, even if empty."""
    return environ.get(name.lower(), environ.get(name, ""))


def _exempt(host: str, environ: Mapping[str, str]) -> bool:
    named = _of("NO_PROXY", environ).split(",")
    return any(part.strip() == "*" or _within(host, part.strip()) for part in named if part.strip())


def _within(host: str, domain: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(domain, strict=False)
    except ValueError:
        return host == domain or host.endswith(f".{domain.lstrip('.')}")  # with a dot: only subdomains


def _host(proxy: str) -> str:
    parts = urlsplit(proxy if "//" in proxy else f"//{proxy}")
    try:
        port = parts.port
    except ValueError:
        port = None
    return f"{parts.hostname or 'a proxy'}{f':{port}' if port else ''}"
