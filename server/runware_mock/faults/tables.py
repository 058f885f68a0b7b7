"""The kinds of faults and their fields as Markdown tables, for docs/faults.md and for the API's own description."""

from collections.abc import Sequence

from runware_mock.faults.kinds import KINDS, DescribedField, common_fields, example, meaning, own_fields

KIND_HEAD = ("kind", "fields", "what happens", "example")
OWN_FIELD_HEAD = ("field", "of", "meaning")
COMMON_FIELD_HEAD = ("field", "meaning")


def all_tables() -> str:
    """Return the tables with the sentences between them."""
    return "\n\n".join(
        [
            "Brackets hold the permitted values and the default of a field, or say that it is required.",
            table(KIND_HEAD, kind_rows()),
            "What these fields mean:",
            table(OWN_FIELD_HEAD, own_field_rows()),
            "Every kind also has these fields:",
            table(COMMON_FIELD_HEAD, common_field_rows()),
        ]
    )


def table(head: Sequence[str], rows: Sequence[str]) -> str:
    """Return a table."""
    return "\n".join([_row(head), f"|{'---|' * len(head)}", *rows])


def kind_rows() -> list[str]:
    """Return a row for each kind: its name, its own fields with their notes, what happens, an example."""
    return [
        _row(
            [
                f"`{kind}`",
                ", ".join(_field(name, one) for name, one in own_fields(kind).items()),
                meaning(kind),
                f"`{example(kind)}`",
            ]
        )
        for kind in KINDS
    ]


def own_field_rows() -> list[str]:
    """Return a row for each meaning of a field that not all kinds have."""
    kinds: dict[tuple[str, str], list[str]] = {}
    for kind in KINDS:
        for name, one in own_fields(kind).items():
            kinds.setdefault((name, one.meaning), []).append(f"`{kind}`")
    return [_row([f"`{name}`", ", ".join(of), text]) for (name, text), of in sorted(kinds.items())]


def common_field_rows() -> list[str]:
    """Return a row for each field that all kinds have."""
    return [_row([_field(name, one), one.meaning]) for name, one in common_fields().items()]


def _field(name: str, one: DescribedField) -> str:
    return f"`{name}`{f' ({one.note})' if one.note else ''}"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
