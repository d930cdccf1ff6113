"""Say why a download failed, and what to do, from what pip or Python said about it.

The last line of a log is seldom the cause: pip ends with "No matching distribution found" whether there is no network,
a proxy asks for a password, or the package does not exist. So specific words are looked for before general ones.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

Kind = Literal["full disk", "pip", "unreachable", "missing", "no build", "broken off", "another file"]


@dataclass(frozen=True)
class Trouble:
    """Why a download failed, and what to do.

    Attributes:
        kind: What it means for the file: the disk is full; pip does not work; the server cannot be reached, or refuses;
            the server does not have the file, or none for this computer; the connection broke off; another file
            came.
        reason: A clause, such as "the proxy wants a password".
        remedy: An imperative clause, such as "set HTTPS_PROXY".
    """

    kind: Kind
    reason: str
    remedy: str


@dataclass(frozen=True)
class _Known:
    """Words by which a trouble is recognised, whatever their case. `{python}` in the remedy is the Python in use."""

    words: tuple[str, ...]
    kind: Kind
    reason: str
    remedy: str

    def found_in(self, text: str) -> bool:
        lower_case = text.lower()
        return any(word.lower() in lower_case for word in self.words)


# The first whose words are found decides.
_SPECIFIC = (
    _Known(
        (
            "No space left on device",
            "[Errno 28]",
            "[Errno 122]",
            "Disk quota exceeded",
            "[WinError 112]",
            "not enough space on the disk",
        ),
        "full disk",
        "the disk is full",
        "free some space",
    ),
    _Known(("No module named pip",), "pip", "this Python has no pip", "run `{python} -m ensurepip`"),
    _Known(("no such option",), "pip", "this Python's pip is too old", "run `{python} -m pip install --upgrade pip`"),
    _Known(
        ("DO NOT MATCH THE HASHES",),
        "another file",
        "what came is another file, or was cut short",
        "see in a browser whether this network asks you to log in",
    ),
    _Known(
        ("Could not find a suitable TLS CA certificate bundle",),
        "unreachable",
        "the certificate file that PIP_CERT or a similar setting names does not exist",
        "correct that setting or unset it",
    ),
    _Known(
        ("SSL module is not available", "unknown url type: https"),
        "unreachable",
        "this Python cannot open secure connections, since it lacks the module ssl",
        "install Python from python.org",
    ),
    _Known(
        ("CERTIFICATE_VERIFY_FAILED", "certificate verify failed", "SSLCertVerificationError"),
        "unreachable",
        "this Python does not trust the certificate that the network presents",
        "correct the computer's clock if it is wrong, or set PIP_CERT and SSL_CERT_FILE to the certificate file "
        "of your school or company",
    ),
)
_GENERAL = (
    _Known(
        (
            "ProxyError",
            "connect to proxy",
            "check proxy URL",
            "Tunnel connection failed",
            "Missing dependencies for SOCKS",
        ),
        "unreachable",
        "the network's proxy does not answer",
        "correct HTTPS_PROXY, or unset it if this network has no proxy",
    ),
    _Known(
        ("SSLError", "[SSL:"),
        "unreachable",
        "the secure connection failed",
        "check that HTTPS_PROXY, if it is set, begins with http://, or try another network",
    ),
    _Known(
        (
            "Name or service not known",
            "name resolution",
            "getaddrinfo failed",
            "nodename nor servname",
            "NameResolutionError",
            "Failed to resolve",
            "No address associated with hostname",
        ),
        "unreachable",
        "there is no network, or it cannot find the server's name (DNS)",
        "connect this computer, or set HTTPS_PROXY if this network has a proxy",
    ),
    _Known(
        (
            "Network is unreachable",
            "No route to host",
            "Connection refused",
            "actively refused",
            "NewConnectionError",
        ),
        "unreachable",
        "there is no network, or the server does not answer",
        "connect this computer",
    ),
    _Known(
        ("timed out", "ReadTimeout", "ConnectTimeout", "didn't respond within"),
        "unreachable",
        "the server did not answer in time",
        "connect this computer, or wait some minutes",
    ),
    _Known(
        (
            "IncompleteRead",
            "not enough bytes",
            "incomplete-download",
            "connection broken",
            "connection aborted",
            "reset by peer",
            "RemoteDisconnected",
            "without response",
            "ChunkedEncodingError",
            "ProtocolError",
        ),
        "broken off",
        "the connection broke off",
        "connect this computer, or wait some minutes",
    ),
    _Known(
        ("Max retries exceeded", "ConnectionError"),
        "unreachable",
        "there is no network, or it failed",
        "connect this computer",
    ),
)
_STATUS = re.compile(
    r"(?:HTTP error |too many |Tunnel connection failed: )(\d{3})\b|\b(\d{3}) (?:client|server) error", re.IGNORECASE
)
_NO_MATCH = re.compile(r"No matching distribution found for ([\w.-]+)")


def diagnose(output: str, python: str) -> Trouble | None:
    """Find out from the words of pip or of an exception why a download failed.

    pip's `--log` says more than its output: only there it tells how each page of the index answered.

    Args:
        output: What pip or the exception said, in one or many lines.
        python: The Python whose pip was used, for the advice.

    Returns:
        The trouble, or None if the words are unknown.
    """
    package = _NO_MATCH.search(output)
    if not package:
        return _recognise(_without_side_shows(output), python) or _recognise(output, python)
    return _recognise(_answers_about(package[1], output), python) or _not_in_the_index(package[1], output)


def last_error(output: str) -> str:
    """The last line that speaks of an error, or else the last line, without its time and full stop."""
    lines = [re.sub(r"^\d{4}-\d\d-\d\dT\S+ +", "", line).strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if re.search("error", line, re.IGNORECASE)]
    return (errors or lines or ["no message"])[-1].rstrip(".")


def _recognise(words: str, python: str) -> Trouble | None:
    """Compare the words with those that are known."""
    return _by_words(_SPECIFIC, words, python) or _by_status(words) or _by_words(_GENERAL, words, python)


def _by_words(troubles: tuple[_Known, ...], words: str, python: str) -> Trouble | None:
    for known in troubles:
        if known.found_in(words):
            return Trouble(known.kind, known.reason, known.remedy.format(python=python))
    return None


def _by_status(words: str) -> Trouble | None:
    """Explain the status of HTTP with which a server or proxy refused."""
    found = _STATUS.search(words)
    if not found:
        return None
    status = int(found[1] or found[2])
    if status == 407:
        return Trouble(
            "unreachable",
            "the network's proxy asks for a user name and a password (407)",
            "set HTTPS_PROXY to http://USER:PASSWORD@HOST:PORT",
        )
    if status == 401:
        return Trouble(
            "unreachable",
            "the server asks for a user name and a password (401)",
            "give them in the address, as in PIP_INDEX_URL=https://USER:PASSWORD@HOST/simple",
        )
    if status in (403, 451):
        return Trouble(
            "unreachable",
            f"the server, or a filter in this network, forbids the download ({status})",
            "try another network, or ask whoever runs this one to allow it",
        )
    if status in (404, 410):
        return Trouble("missing", f"the server does not have it ({status})", "use another index or address")
    if status == 429:
        return Trouble("unreachable", "the server has had too many requests (429)", "wait some minutes")
    if status >= 500:
        return Trouble("unreachable", f"the server is out of order at the moment ({status})", "wait some minutes")
    return Trouble("unreachable", f"the server refuses the download ({status})", "try another network")


def _without_side_shows(output: str) -> str:
    """Leave out the lines about pages that pip could do without, and about attempts that it repeated."""
    lines = [line for line in output.splitlines() if not re.search("Could not fetch URL|Retrying", line)]
    return "\n".join(lines)


def _answers_about(package: str, output: str) -> str:
    """The lines that say how the first index answered when it was asked for a package.

    Further indexes usually lack most packages, and some of them say so with 403.
    """
    page = f"/{re.sub('[-_.]+', '-', package).lower()}/"
    first = re.search(r"Looking in indexes: ([^,\s]+)", output)
    host = (first and urlsplit(first[1]).hostname) or ""
    lines = [line.lower() for line in output.splitlines() if page in line.lower()]
    refusals = [line for line in lines if "could not fetch url" in line and host in line]
    attempts = [line for line in lines if "retrying" in line]
    return "\n".join(refusals + attempts)


def _not_in_the_index(package: str, output: str) -> Trouble:
    if "Ignoring indexes:" in output:
        return Trouble(
            "missing",
            f"pip may use no package index (PIP_NO_INDEX), and PIP_FIND_LINKS names no folder that has {package}",
            "unset PIP_NO_INDEX, or put the package into such a folder",
        )
    if "is not a trusted or secure host" in output:
        return Trouble(
            "unreachable",
            "pip trusts no package index whose address begins with http://",
            "use one that begins with https://, or name its host in PIP_TRUSTED_HOST",
        )
    return Trouble("no build", f"pip's package index does not have {package} for this computer", "use another index")
