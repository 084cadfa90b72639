"""Finding the service's contract: the file or path that is configured, the usual paths, the project's files."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator
from pathlib import Path
from urllib.parse import urljoin

from nines.model.contract import Contract, ContractParameter, Operation
from nines.model.errors import LabError, NinesError
from nines.model.service import Endpoint, EndpointKind
from nines.model.settings import Settings

Get = Callable[[str], Awaitable[tuple[int | None, bytes]]]
"""Status and body of a GET of the service."""

PATHS = (
    "/openapi.json",
    "/openapi.yaml",
    "/openapi",
    "/swagger.json",
    "/schema/",
    "/schema",
    "/schema.json",
    "/swagger/?format=openapi",
    "/swagger/v1/swagger.json",
    "/v3/api-docs",
    "/apispec_1.json",
    "/apispec.json",
    "/docs/openapi.json",
    "/openapi/openapi.json",
    "/static/openapi.json",
)
PREFIXES = ("", "/api", "/api/v1", "/v1", "/api/v2")
PAGES = ("/docs", "/api/docs", "/redoc", "/swagger", "/api/v1/docs", "/swagger-ui/")
FILES = ("openapi.json", "openapi.yaml", "openapi.yml", "swagger.json", "swagger.yaml", "swagger.yml")
FOLDERS = (".", "docs", "api", "doc", "openapi", "spec")
_NAMED_IN_PAGE = re.compile(r"""(?:url|spec-url)["']?\s*[:=]\s*["']([^"'\s]+)["']""")
_BYTES_MAX = 32 * 1024 * 1024


class Discovery:
    """Looks for a contract in the order in which it is most likely the one that the running service keeps."""

    def __init__(self, settings: Settings, root: Path, read: Callable[[bytes, str], Contract], get: Get) -> None:
        self._settings = settings
        self._root = root
        self._read = read
        self._get = get

    async def find(self, endpoints: Iterable[Endpoint] = ()) -> Contract | None:
        """None when there is no contract anywhere; LabError when the configured one cannot be used."""
        if self._settings.contract:
            return await self._configured(self._settings.contract)
        for path in self._candidates(endpoints):
            found = await self._served(path)
            if found is not None:
                return found
        return await self._named_in_page() or self._in_project()

    async def _configured(self, named: str) -> Contract:
        file = self._root / named.lstrip("/") if not named.startswith("/") else Path(named)
        if not named.startswith("/") or file.is_file():
            try:
                return self._read(file.read_bytes(), named)
            except OSError as error:
                raise LabError(
                    f"the contract cannot be read: {error.strerror}",
                    where=named,
                    hint="Correct `contract`: a file of the project, or a path on the service that begins with /.",
                ) from error
        status, body = await self._get(named)
        if status != 200:
            raise LabError(
                f"the contract's path answered {status or 'nothing'}", where=named, hint="Correct `contract`."
            )
        return self._read(body, named)

    def _candidates(self, endpoints: Iterable[Endpoint]) -> Iterator[str]:
        # What the code itself declares goes before every guess.
        declared = [e.path for e in endpoints if re.search(r"(openapi|swagger|schema)[^{]*$", e.path)]
        base = self._settings.service.base_path.rstrip("/")
        guessed = [prefix + path for prefix in dict.fromkeys((base, *PREFIXES)) for path in PATHS]
        yield from dict.fromkeys((*declared, *guessed))

    async def _served(self, path: str) -> Contract | None:
        status, body = await self._get(path)
        if status != 200 or not _may_be_contract(body):
            return None
        try:
            contract = self._read(body, path)
        except NinesError:
            return None
        return contract if contract.operations else None

    async def _named_in_page(self) -> Contract | None:
        """The address that a page of interactive documentation loads."""
        for page in PAGES:
            status, body = await self._get(page)
            named = _NAMED_IN_PAGE.search(body.decode("utf-8", "replace")) if status == 200 else None
            if named and "://" not in named[1]:
                found = await self._served(urljoin(page, named[1]))
                if found is not None:
                    return found
        return None

    def _in_project(self) -> Contract | None:
        for folder in FOLDERS:
            for name in FILES:
                file = self._root / folder / name
                if file.is_file() and file.stat().st_size <= _BYTES_MAX:
                    try:
                        return self._read(file.read_bytes(), f"{folder}/{name}".removeprefix("./"))
                    except (NinesError, OSError):
                        continue
        return None


def _may_be_contract(body: bytes) -> bool:
    start = body[:4096]
    return len(body) <= _BYTES_MAX and (b"openapi" in start or b"swagger" in start)


def contract_of_endpoints(title: str, endpoints: Iterable[Endpoint]) -> Contract:
    """The little that reading knows: methods and paths, without schemas."""
    operations = [
        Operation(
            id=endpoint.id,
            method=endpoint.method,
            path=re.sub(r"\{(\w+):[^}]*\}", r"{\1}", endpoint.path),
            parameters=tuple(
                ContractParameter(name=name, location="path", is_required=True, schema={"type": "string"})
                for name in re.findall(r"\{(\w+)[^}]*\}", endpoint.path)
            ),
        )
        for endpoint in endpoints
        if endpoint.kind is EndpointKind.HTTP and endpoint.method and endpoint.path.startswith("/")
    ]
    return Contract(title=title, source="the code", operations=tuple(operations))
