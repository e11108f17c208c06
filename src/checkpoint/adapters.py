"""Finds the adapter that opens a URL: a module of Checkpoint's, or one that another installed package offers."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from importlib.metadata import EntryPoint

Adapter = TypeVar("Adapter")


class Registry(Generic[Adapter]):
    """Adapters of one kind, each known by the scheme of the URLs that it opens.

    group: the entry points of this group are the adapters of other packages: `scheme = "package.module"`.
    built_in: the module of each scheme of Checkpoint's own; no entry point takes its place. A table and no entry
    points, because the images hold the packages without the metadata of a distribution.
    functions: what an adapter must have.

    A scheme is the same in capitals (RFC 3986, section 3.1). Entry points are read only for a scheme that is not built
    in, and only the adapter that `find` gives is imported.
    https://packaging.python.org/en/latest/specifications/entry-points/
    """

    def __init__(self, group: str, built_in: Mapping[str, str], functions: Sequence[str]) -> None:
        self.group: Final = group
        self.built_in: Final = built_in
        self._functions = functions

    def check(self, url: str) -> None:
        """Raise ValueError for a URL that no adapter, or more than one, opens. Imports no adapter."""
        self._locate(_scheme(url))

    def find(self, url: str) -> tuple[Adapter, str]:
        """The adapter that opens a URL, and the URL for it: its scheme is in lower case.

        Raises ValueError as `check` does, and where the adapter cannot be imported or is none.
        """
        scheme = _scheme(url)
        located = self._locate(scheme)
        origin = located if isinstance(located, str) else f"{located.value} of the package {_package(located)}"
        try:
            found: Any = import_module(located) if isinstance(located, str) else located.load()
        except Exception as error:  # noqa: BLE001  whatever another package does at its import, this names the package
            # Only the text of an ImportError is known to name modules and nothing else.
            cause = f"{type(error).__name__}: {error}" if isinstance(error, ImportError) else type(error).__name__
            raise ValueError(f"the adapter for {scheme}:, {origin}, cannot be imported: {cause}") from None
        missing = [name for name in self._functions if not callable(getattr(found, name, None))]
        if missing:
            raise ValueError(f"the adapter for {scheme}:, {origin}, has no {' and no '.join(missing)}.")
        return cast("Adapter", found), f"{scheme}:{url.partition(':')[2]}"

    def _locate(self, scheme: str) -> str | EntryPoint:
        """The name of a module of ours, or the entry point of another package."""
        if scheme in self.built_in:
            return self.built_in[scheme]
        offered = self._offered()
        match [each for each in offered if each.name.lower() == scheme]:
            case [only]:
                return only
            case []:
                known = dict.fromkeys([*self.built_in, *sorted(each.name.lower() for each in offered)])
                raise ValueError(f"the scheme must be one of {', '.join(known)}.")
            case several:
                packages = " and ".join(sorted(_package(each) for each in several))
                raise ValueError(f"more than one package opens {scheme}: URLs; uninstall all but one of {packages}.")

    def _offered(self) -> Sequence[EntryPoint]:
        from importlib.metadata import entry_points  # noqa: PLC0415  the built-in adapters do without

        return tuple(entry_points(group=self.group))


def _scheme(url: str) -> str:
    try:
        return urlsplit(url).scheme
    except ValueError:  # its text repeats the URL, which may hold a password
        raise ValueError("is not a URL.") from None


def _package(entry_point: EntryPoint) -> str:
    return f"{entry_point.dist.name} {entry_point.dist.version}" if entry_point.dist else "without a name"
