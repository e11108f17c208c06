"""Which results say how a service is now, where many calls to it are under way and end in any order."""

from __future__ import annotations


class CallOrder:
    """The order in which calls to one service begin and end.

    A failure says nothing about now if a call that began later has succeeded. A success says nothing about now if its
    call began before a failure that did. So calls that hung through an outage, and end one by one when it is over, do
    not begin the outage anew.
    """

    def __init__(self) -> None:
        self._now = 0
        self._last_failure = 0
        self._last_failing_call = 0  # when it began
        self.last_success = 0  # when the call began, of those that succeeded the latest

    def now(self) -> int:
        """A mark that is later than all before: for a call that begins, or whatever else happens."""
        self._now += 1
        return self._now

    def succeeded(self, began: int) -> bool:
        """Report a success; whether it says that the service is available now. `began`: the call's mark."""
        self.last_success = max(self.last_success, began)
        return began > self._last_failure

    def failed(self, began: int) -> bool:
        """Report a failure; whether it says that the service is unavailable now. `began`: the call's mark."""
        if began < self.last_success:
            return False
        self._last_failing_call = max(self._last_failing_call, began)
        self._last_failure = self.now()
        return True

    def follows_failing_calls(self, began: int) -> bool:
        """Whether a call began after each that failed, though perhaps before that was known: `began`, its mark."""
        return began > self._last_failing_call
