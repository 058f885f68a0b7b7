"""What happened at the mock, in words for the reader of a failed test."""

from collections.abc import Sequence

from runware_mock.control_models import Entry, PlanState

_SHOWN_TASKS = 10
_SHOWN_DIGEST_CHARS = 12


def task_history(entries: Sequence[Entry]) -> str:
    """List tasks one a line, oldest first; of many, only the last."""
    if not entries:
        return "no task was sent to the mock"
    earlier = len(entries) - _SHOWN_TASKS
    head = [f"  ({counted(earlier, 'earlier task')} not shown)"] if earlier > 0 else []
    return "\n".join(["tasks sent to the mock:", *head, *map(_task_line, entries[-_SHOWN_TASKS:])])


def unmet_plan(plan: PlanState) -> str:
    """Say which faults of a plan did not happen as often as planned."""
    lines = [f"the fault plan {plan.name!r} was not fully met"]
    lines += [
        f"  fault {number}, {fault.kind}: happened {fault.met} of {counted(wanted, 'time')}; "
        f"{counted(fault.seen, 'matching call')} seen"
        for number, fault in enumerate(plan.faults, 1)
        # A fault that is planned without end has to happen once.
        if fault.met < (wanted := fault.times or 1)
    ]
    return "\n".join([*lines, *(f"  {warning}" for warning in plan.warnings)])


def counted(count: int, noun: str) -> str:
    """Return `1 upload`, `2 uploads`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _task_line(entry: Entry) -> str:
    return f"  {entry.outcome} {entry.task_type} {entry.task_uuid} ({entry.transport}){_detail(entry)}"


def _detail(entry: Entry) -> str:
    if entry.audit:
        sent = entry.audit.sent
        size = f" {sent.width_px}x{sent.height_px}" if sent.width_px else ""
        return f": {entry.audit.format}{size}, SHA-256 {sent.sha256[:_SHOWN_DIGEST_CHARS]}…"
    if entry.outcome != "success" and entry.answer:
        return f": {entry.answer[0].get('code')}: {entry.answer[0].get('message')}"
    return ""
