"""The control API of a running server as Python methods.

    with ControlClient("http://127.0.0.1:8080", api_key="a-key-for-tests-0123456789abcdef") as control:
        control.clock.advance(days=31)
        assert control.media.list() == []

It is synchronous and may be shared by threads. Every refusal is a ControlError, which names the field.
"""

from runware_mock.client.answers import (
    Account,
    Audit,
    Clock,
    Entry,
    Expiring,
    Explanation,
    FaultMet,
    FaultState,
    Forecast,
    Listing,
    Loaded,
    Medium,
    Moved,
    PlanState,
    Purged,
    Reset,
    Sent,
    Snapshot,
    Status,
    Stored,
    WouldPurge,
)
from runware_mock.client.control import (
    ClockCalls,
    ControlClient,
    EntryFilter,
    Fault,
    FaultCalls,
    JournalCalls,
    MediaCalls,
    SnapshotCalls,
)
from runware_mock.client.wire import DEFAULT_URL, ControlError

__all__ = [
    "DEFAULT_URL",
    "Account",
    "Audit",
    "Clock",
    "ClockCalls",
    "ControlClient",
    "ControlError",
    "Entry",
    "EntryFilter",
    "Expiring",
    "Explanation",
    "Fault",
    "FaultCalls",
    "FaultMet",
    "FaultState",
    "Forecast",
    "JournalCalls",
    "Listing",
    "Loaded",
    "MediaCalls",
    "Medium",
    "Moved",
    "PlanState",
    "Purged",
    "Reset",
    "Sent",
    "Snapshot",
    "SnapshotCalls",
    "Status",
    "Stored",
    "WouldPurge",
]
