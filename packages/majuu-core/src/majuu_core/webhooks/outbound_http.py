"""Sends one attempt over HTTP: never into our own network, never following a redirect, never longer than 15 seconds."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter_ns
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from majuu_core import __version__
from majuu_core.common import clock
from majuu_core.common.addresses import AddressRefused, is_public_address
from majuu_core.common.redaction import redact_text
from majuu_core.webhooks.outbound import Answer, Job
from majuu_core.webhooks.signing import sign

TIMEOUT_SECONDS = 15
MAX_EXCERPT = 1000  # bytes of the answer that are kept; its rest is not even read
_EXCERPT_SECONDS = 1
_MAX_ERROR = 300
_RESOLVER_THREADS = 32
_USER_AGENT = f"Majuu-Webhooks/{__version__}"


class Sender:
    """An HTTP client for webhooks. Use it as a context manager inside the event loop that sends."""

    def __init__(self, *, allow_private: bool = False, timeout: float = TIMEOUT_SECONDS) -> None:
        self._allow_private = allow_private
        self._timeout = timeout

    async def __aenter__(self) -> Self:
        self._resolver = PublicResolver(allow_private=self._allow_private)
        connector = aiohttp.TCPConnector(
            limit=0,
            resolver=self._resolver,
            socket_factory=checked_socket(self._resolver.check),
            ttl_dns_cache=60,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=self._timeout),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            headers={
                "User-Agent": _USER_AGENT,
                "Content-Type": "application/json",
                "Accept": "*/*",
                "Accept-Encoding": "identity",
            },
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()
        await self._resolver.close()

    async def send(self, job: Job) -> Answer:
        """Make the attempt. Whatever happens is an answer; nothing is raised but cancellation."""
        if not job.keys:
            return Answer(error="no signing secret of this endpoint can be opened")
        started = perf_counter_ns()
        try:
            answer = await self._post(job)
        except TimeoutError:
            answer = Answer(error=f"no answer within {self._timeout:g} seconds")
        except (aiohttp.ClientError, OSError, ValueError) as problem:
            answer = Answer(error=_explain(problem))
        answer.duration_ms = (perf_counter_ns() - started) // 1_000_000
        return answer

    async def _post(self, job: Job) -> Answer:
        timestamp = int(clock.now().timestamp())
        headers = {
            "webhook-id": job.message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(job.keys, message_id=job.message_id, timestamp=timestamp, body=job.body),
        }
        response = await self._session.post(job.url, data=job.body, headers=headers, allow_redirects=False)
        body = "" if response.content.at_eof() else await _excerpt(response)
        return Answer(status=response.status, body=body, retry_after=response.headers.get("Retry-After", ""))


async def _excerpt(response: aiohttp.ClientResponse) -> str:
    """The first bytes of the body. The status decides, so a body that trickles or breaks off is no failure."""
    found = b""
    try:
        async with asyncio.timeout(_EXCERPT_SECONDS):
            while len(found) < MAX_EXCERPT and (chunk := await response.content.read(MAX_EXCERPT - len(found))):
                found += chunk
    except (TimeoutError, aiohttp.ClientError):
        pass
    if not response.content.at_eof():
        response.close()  # what is left would have to be read before the connection could be used again
    return redact_text(found.decode(errors="replace").replace("\x00", "\N{REPLACEMENT CHARACTER}"))[:MAX_EXCERPT]


def _explain(problem: Exception) -> str:
    cause: BaseException | None = problem
    while cause is not None:
        if isinstance(cause, AddressRefused):
            return f"refused: {cause}"
        cause = getattr(cause, "os_error", None) or cause.__cause__
    match problem:
        case aiohttp.ClientConnectorDNSError():
            text = "the name could not be resolved"
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
            text = f"TLS: {problem}"
        case aiohttp.ClientConnectorError():
            text = f"could not connect: {problem.os_error.strerror or problem.os_error}"
        case aiohttp.InvalidURL():
            text = "the address cannot be called"
        case aiohttp.ServerDisconnectedError():
            text = "the connection was closed before an answer came"
        case _:
            text = f"{type(problem).__name__}: {problem}"
    return redact_text(text.replace("\x00", ""))[:_MAX_ERROR]


class PublicResolver(AbstractResolver):
    """Resolves names and refuses those of which any address is not public.

    One bad address refuses the whole name: a name with a public and a private address is an attempt, not a mistake.
    Look-ups run in threads of their own, so that a name that takes long to resolve does not hold up others.
    """

    def __init__(self, *, allow_private: bool = False) -> None:
        self._allow_private = allow_private
        self._threads = ThreadPoolExecutor(_RESOLVER_THREADS, thread_name_prefix="majuu-dns")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """All addresses of the host. Raises OSError when there is none, AddressRefused when one is not public."""
        found = await asyncio.get_running_loop().run_in_executor(self._threads, look_up, host, port, family)
        for result in found:
            self.check(result["host"])
        return found

    def check(self, address: str) -> None:
        """Raises AddressRefused for an address that is not public, unless private ones are allowed."""
        if not self._allow_private and not is_public_address(address):
            raise AddressRefused("the address is not on the public internet")

    async def close(self) -> None:
        """Let the threads go; a look-up that hangs is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def look_up(host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
    """What the system's resolver says, in aiohttp's words."""
    found: list[ResolveResult] = []
    for kind, _, protocol, _, address in socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM):
        ip = str(address[0])
        if kind == socket.AF_INET6 and len(address) > 3 and address[3]:
            ip = f"{ip.partition('%')[0]}%{address[3]}"  # its scope makes it link-local, and refused
        found.append(
            ResolveResult(
                hostname=host,
                host=ip,
                port=int(address[1]),
                family=kind,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
        )
    return found


def checked_socket(check: Callable[[str], None]) -> Callable[[Any], socket.socket]:
    """A socket factory: the last gate, passed by every connection, those to literal addresses included."""

    def make(address_info: Any) -> socket.socket:
        family, kind, protocol, _, address = address_info
        check(str(address[0]))
        return socket.socket(family, kind, protocol)

    return make
