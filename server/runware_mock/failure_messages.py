"""What happened at the mock, told to somebody whose test failed."""

from collections.abc import Sequence

from runware_mock.client import Entry, PlanState

_SHOWN = 10
_DIGEST_CHARS = 12


def task_history(entries: Sequence[Entry]) -> str:
    """Write tasks one a line, the oldest first; of many only the last."""
    if not entries:
        return "the mock was asked nothing"
    earlier = len(entries) - _SHOWN
    head = [f"({counted(earlier, 'task')} before these)"] if earlier > 0 else []
    return "\n".join(["the mock was asked:", *head, *map(_line, entries[-_SHOWN:])])


def unmet_plan(plan: PlanState) -> str:
    """Write which faults of a plan were not met as often as planned."""
    lines = [f"the fault plan {plan.name!r} was not fully met"]
    lines += [
        f"  fault {number}, {fault.kind}: met {fault.met} of {counted(wanted, 'time')}; "
        f"{counted(fault.seen, 'matching call')} seen"
        for number, fault in enumerate(plan.faults, 1)
        # One that is planned for ever has to be met once.
        if fault.met < (wanted := fault.times or 1)
    ]
    return "\n".join([*lines, *(f"  {warning}" for warning in plan.warnings)])


def counted(count: int, noun: str) -> str:
    """Write `1 upload`, `2 uploads`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _line(entry: Entry) -> str:
    return f"  {entry.outcome} {entry.task_type} {entry.task_uuid} ({entry.transport}){_detail(entry)}"


def _detail(entry: Entry) -> str:
    if entry.audit:
        sent = entry.audit.sent
        size = f" {sent.width_px}x{sent.height_px}" if sent.width_px else ""
        return f": {entry.audit.format}{size}, SHA-256 {sent.sha256[:_DIGEST_CHARS]}…"
    if entry.outcome != "success" and entry.answer:
        return f": {entry.answer[0].get('code')}: {entry.answer[0].get('message')}"
    return ""
