"""What schemathesis cannot read in the OpenAPI document: no e-mail may be dated in the future."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import schemathesis

from checkpoint.email import MAX_EXACT_NUMBER, MAX_TIMESTREAM_DIGITS

if TYPE_CHECKING:
    from schemathesis import Case, HookContext


@schemathesis.hook
def before_call(_context: HookContext, case: Case[Any], _kwargs: dict[str, Any]) -> None:
    """Date an e-mail in the past; a date that the document refuses stays as it is."""
    body: Any = case.body
    data = body.get("data") if isinstance(body, dict) else None
    date: Any = data.get("email_timestream") if isinstance(data, dict) else None
    if isinstance(data, dict) and _is_later(date):
        past = int(date) % int(time.time())
        case.body = body | {"data": data | {"email_timestream": str(past) if isinstance(date, str) else past}}


def _is_later(date: object) -> bool:
    if isinstance(date, str):
        return date.isascii() and date.isdigit() and len(date) <= MAX_TIMESTREAM_DIGITS and int(date) > time.time()
    return isinstance(date, int | float) and time.time() < date <= MAX_EXACT_NUMBER and date == int(date)
