"""Settings from environment variables: one typed struct per service, all faults reported at once and by name."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeVar, get_args, get_origin

import msgspec

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

    Fetch = Callable[[Sequence[str]], Awaitable[Mapping[str, str]]]

REFERENCE: Final = "ssm:"

Port = Annotated[int, msgspec.Meta(ge=0, le=65_535)]
Seconds = Annotated[float, msgspec.Meta(gt=0, le=86_400)]
Count = Annotated[int, msgspec.Meta(ge=1)]
LogFormat = Literal["auto", "json", "console"]
LogLevel = Literal["debug", "info", "warning", "error"]

Loaded = TypeVar("Loaded", bound="Settings")


class SettingsError(Exception):
    """Settings cannot be used; the text names each faulty variable and never repeats a value."""


@dataclass(frozen=True, slots=True)
class Check:
    """In the annotation of a setting, what more its value must be: `Annotated[str, Check(function)]`.

    function: raises ValueError with the reason, which never repeats the value.
    """

    function: Callable[[Any], None]


class _MayBeEmpty:
    """In the annotation of a setting: an empty value is a value."""


MAY_BE_EMPTY: Final = _MayBeEmpty()


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """A service's settings; the field `queue_url` is read from the variable `QUEUE_URL`, and so on.

    A field's `Meta(description=…)` is its meaning, in `--help` and in the README's table. Where the default depends on
    something, `Meta(extra={"default": …})` says on what. A subclass says in `__post_init__` what must hold between
    fields, by raising ValueError.
    """

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"  # a token or a password in a URL must not reach a log


def references(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that name an SSM parameter instead of a value: `{"TOKEN": "/checkpoint/token"}`."""
    return {name: value.removeprefix(REFERENCE) for name, value in environ.items() if value.startswith(REFERENCE)}


async def load(kind: type[Loaded], environ: Mapping[str, str], fetch: Fetch) -> Loaded:
    """Read a service's settings.

    fetch: gives the values of the named SSM parameters, those that exist; asked only where a value refers to one.
    Raises SettingsError with all faults together.
    """
    fields = {field.encode_name.upper(): field for field in msgspec.structs.fields(kind)}
    given = {name: environ[name] for name in fields if name in environ}
    referred = references(given)
    wanted = sorted({parameter for parameter in referred.values() if parameter})
    parameters = await fetch(wanted) if wanted else {}
    faults, values = [], {}
    for name, field in fields.items():
        if name in referred and not referred[name]:
            faults.append(f"{name}: names no parameter; write ssm:/name/of/a/parameter.")
        elif name in referred and referred[name] not in parameters:
            faults.append(f"{name}: there is no SSM parameter {referred[name]}; create it, or set {name} itself.")
        elif name in given:
            text = parameters[referred[name]] if name in referred else given[name]
            try:
                values[field.name] = _value(text, field.type)
            except ValueError as error:
                faults.append(f"{name}: {_reason(field.type, error)}")
        elif field.required:
            faults.append(f"{name}: is not set.")
    if not any(field.required and field.name not in values for field in fields.values()):
        try:
            loaded = kind(**values)  # with a default for each faulty value, so that faults between fields show too
        except ValueError as error:
            faults.append(str(error))
    if faults:
        raise SettingsError("\n".join(faults))
    return loaded


@contextmanager
def convert_to_settings_error(name: str | None = None) -> Iterator[None]:
    """Raise SettingsError for a ValueError or OSError of the body, which opens what settings name: a port, a queue.

    name: of the setting at fault; None where the error's own text says it.
    """
    try:
        yield
    except (ValueError, OSError) as error:
        raise SettingsError(f"{name}: {error}" if name else str(error)) from None


def _reason(wanted: Any, error: ValueError) -> str:
    """What is wrong; of msgspec's own texts, only the one for a choice repeats the value."""
    bare = wanted.__origin__ if get_origin(wanted) is Annotated else wanted
    return f"must be one of {', '.join(get_args(bare))}." if get_origin(bare) is Literal else str(error)


def _value(text: str, wanted: Any) -> Any:
    if not text and MAY_BE_EMPTY in getattr(wanted, "__metadata__", ()):
        return text
    value = msgspec.convert(_not_empty(text), wanted, strict=False)
    for check in getattr(wanted, "__metadata__", ()):  # what stands beside a type in Annotated
        if isinstance(check, Check):
            check.function(value)
    return value


def _not_empty(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty; unset it for the default, or give it a value.")
    return text
