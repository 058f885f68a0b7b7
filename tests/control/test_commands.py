"""The verbs of `runware-mock` that speak to a running server."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from runware_mock.cli import main
from runware_mock.client import ControlClient
from runware_mock.faults.kinds import KINDS
from runware_mock.protocol.redaction import masked
from tests.control.calling import Calls
from tests.pictures import png
from tests.process.ports import free_port
from tests.running import RunningMock, clean_environment, command, running_mock
from tests.talking import Talker, upload

Run = Callable[..., Result]


def invoked(*arguments: str, text: str | None = None, **variables: str) -> Result:
    environment = {"RUNWARE_API_KEY": None, "RUNWARE_MOCK_URL": None, "RUNWARE_MOCK_CONTROL_TOKEN": None, **variables}
    return CliRunner(env=environment).invoke(main, arguments, input=text)


@pytest.fixture
def run(mock: RunningMock, api_key: str) -> Run:
    """Run a verb for the test's account and return what it printed; it must succeed."""

    def ran(*arguments: str, text: str | None = None) -> Result:
        result = invoked(*arguments, text=text, RUNWARE_MOCK_URL=mock.url, RUNWARE_API_KEY=api_key)
        assert not isinstance(result.exception, Exception) or isinstance(result.exception, SystemExit)
        return result

    return ran


@pytest.fixture
def picture(tmp_path: Path) -> str:
    """A file with a picture."""
    file = tmp_path / "picture.png"
    file.write_bytes(png())
    return str(file)


def printed(result: Result) -> str:
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def refused(result: Result, status: int = 1) -> str:
    assert (result.exit_code, result.stdout) == (status, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith("runware-mock: ")
    return line.removeprefix("runware-mock: ")


def test_a_command_that_does_not_exist_is_told_by_name() -> None:
    result = invoked("clok")
    assert result.exit_code == 2
    assert "No such command 'clok'." in result.stderr


@pytest.mark.parametrize("group", ["clock", "faults", "journal", "media", "snapshot", "webhooks"])
def test_every_verb_explains_itself(group: str) -> None:
    command = main.get_command(click.Context(main), group)
    assert isinstance(command, click.Group)
    for name in command.commands:
        assert printed(invoked(group, name, "--help")).startswith("Usage: ")


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("clock show", "/clock"),
        ("media list", "/media"),
        ("media forecast", "/forecast"),
        ("journal list", "/journal"),
        ("journal count", "/journal/count"),
        ("snapshot list", "/snapshots"),
        ("faults list", "/faults"),
        ("webhooks list", "/webhooks"),
        ("accounts", "/accounts"),
    ],
)
def test_json_is_the_answer_of_the_api(run: Run, control: Calls, talker: Talker, verb: str, path: str) -> None:
    talker.ask(upload(png()))
    assert json.loads(printed(run(*verb.split(), "--json"))) == control.get(path)


# Whom to ask, and as whom


def test_the_server_and_the_account_can_be_named_by_options(mock: RunningMock, api_key: str, picture: str) -> None:
    named = ("--url", mock.url, "--account", api_key)
    printed(invoked("media", "add", picture, *named))
    assert len(printed(invoked("media", "list", *named)).splitlines()) == 2


def test_the_address_is_that_of_serve_with_the_same_variables(mock: RunningMock) -> None:
    assert "now_at" in printed(invoked("clock", "show", RUNWARE_MOCK_PORT=mock.url.rpartition(":")[2]))


def test_without_an_account_a_verb_speaks_of_all(mock: RunningMock, run: Run, picture: str) -> None:
    uuid = json.loads(printed(run("media", "add", picture, "--json")))["uuid"]
    assert uuid in printed(invoked("media", "list", RUNWARE_MOCK_URL=mock.url))


def test_a_verb_that_needs_an_account_says_how_to_name_it(mock: RunningMock) -> None:
    assert "--account KEY" in refused(invoked("snapshot", "list", RUNWARE_MOCK_URL=mock.url))


def test_a_server_that_is_not_there_is_told_in_one_line() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    line = refused(invoked("clock", "show", RUNWARE_MOCK_URL=url))
    assert url in line
    assert "runware-mock serve" in line


def test_a_token_is_asked_for_and_taken() -> None:
    with running_mock(control_token="open-sesame") as guarded:  # noqa: S106 - a test's own
        assert "--token TOKEN" in refused(invoked("accounts", "--url", guarded.url))
        assert printed(invoked("accounts", "--url", guarded.url, "--token", "open-sesame")) == "none\n"


def test_deleting_from_all_accounts_needs_a_yes() -> None:
    with running_mock() as mock, ControlClient(mock.url, "one-account") as control:
        control.media.add(png())
        for command in ("reset", "journal clear", "faults delete", "clock advance 31d", "clock set 2026-06-01"):
            line = refused(invoked(*command.split(), RUNWARE_MOCK_URL=mock.url), 2)
            assert "of all accounts: add --yes" in line
        assert "this would reset the clock of all" in refused(invoked("reset", "clock", RUNWARE_MOCK_URL=mock.url), 2)
        assert "'medias' is not one of" in invoked("reset", "medias", RUNWARE_MOCK_URL=mock.url).stderr
        printed(invoked("clock", "advance", "1d", RUNWARE_MOCK_URL=mock.url))
        assert len(control.media.list()) == 1
        printed(invoked("clock", "advance", "31d", "--yes", RUNWARE_MOCK_URL=mock.url))
        assert control.media.list() == []
        assert printed(invoked("reset", "--yes", RUNWARE_MOCK_URL=mock.url)).startswith("reset all accounts\n")


@pytest.mark.parametrize(("answer", "status"), [(b"n\n", 1), (b"y\n", 0)])
def test_on_a_terminal_it_asks_first(answer: bytes, status: int) -> None:
    with running_mock() as mock, ControlClient(mock.url, "one-account") as control:
        control.media.add(png())
        ours, terminal = os.openpty()
        os.write(ours, answer)
        ended = subprocess.run(
            command("reset"),
            stdin=terminal,
            capture_output=True,
            text=True,
            check=False,
            env=clean_environment(RUNWARE_MOCK_URL=mock.url, RUNWARE_API_KEY=""),
        )
        os.close(terminal)
        os.close(ours)
        assert ended.stderr.startswith("Delete everything of all accounts? [y/N]:")
        assert (ended.returncode, len(control.media.list())) == (status, status)


# The clock and media


def test_advancing_the_clock_says_what_was_purged(run: Run, picture: str) -> None:
    uuid = json.loads(printed(run("media", "add", picture, "--json")))["uuid"]
    shown = dict(line.split() for line in printed(run("clock", "advance", "31d")).splitlines())
    assert shown["clock.now_at"] == "2026-02-01T00:00:00.000Z"
    assert (shown["purged.media"], shown["purged.uuids"]) == ("1", uuid)


@pytest.mark.parametrize("at", ["2026-01-02T00:00:00Z", "1767312000000"])
def test_the_clock_is_set(run: Run, at: str) -> None:
    assert json.loads(printed(run("clock", "set", at, "--json")))["clock"]["now_at"] == "2026-01-02T00:00:00.000Z"


def test_the_clock_is_frozen_resumed_and_reset(run: Run) -> None:
    assert "frozen   yes\n" in printed(run("clock", "freeze"))
    printed(run("clock", "advance", "1d"))
    assert "offset   1d\n" in printed(run("clock", "resume"))
    assert "offset   0s\n" in printed(run("clock", "reset"))


@pytest.mark.parametrize(("verb", "field"), [("advance soon", "by"), ("set 2020-01-01", "at")])
def test_a_clock_refuses_in_one_line_that_names_the_field(run: Run, verb: str, field: str) -> None:
    assert refused(run("clock", *verb.split())).startswith(f"{field}: ")


def test_a_table_has_a_heading_and_a_line_for_each_medium(run: Run, picture: str) -> None:
    for _ in range(3):
        printed(run("media", "add", picture, "--age", "29d"))
    heading, *rows, more = printed(run("media", "list", "--limit", "2")).splitlines()
    assert heading.split()[:3] == ["uuid", "account", "format"]
    assert [row.split()[-1] for row in rows] == ["1d", "1d"]
    assert more.startswith("(more: --before ")


def test_a_medium_is_shown_and_deleted(run: Run, picture: str) -> None:
    uuid = json.loads(printed(run("media", "add", picture, "--json")))["uuid"]
    assert "sent.sha256 " in printed(run("media", "show", uuid))
    assert printed(run("media", "delete", uuid)) == f"deleted {uuid}\n"
    assert uuid in refused(run("media", "show", uuid))
    assert printed(run("media", "list")) == "none\n"


def test_a_forecast_ends_with_what_a_purge_would_remove(run: Run, picture: str) -> None:
    printed(run("media", "add", picture))
    lines = printed(run("media", "forecast", "--in", "31d")).splitlines()
    assert lines[-1] == f"a purge at 2026-02-01T00:00:00.000Z would delete 1 media, {len(png())} bytes"
    assert lines[-2].split()[-1] == "yes"


# The journal


def test_the_journal_is_listed_shown_counted_and_cleared(run: Run, talker: Talker, api_key: str) -> None:
    task = upload("no picture")
    talker.ask(task)
    heading, row = printed(run("journal", "list", "--outcome", "error")).splitlines()
    assert heading.split()[0] == "id"
    assert task["taskUUID"] in row
    assert "explanation.nearest_valid" in printed(run("journal", "show", row.split()[0]))
    assert printed(run("journal", "count", "--task-type", "imageUpload")) == "1\n"
    assert printed(run("journal", "clear")) == f"deleted 1 entries of account {masked(api_key)}\n"
    assert printed(run("journal", "list")) == "none\n"


def test_waiting_returns_what_is_there_and_gives_up_when_the_time_is_over(run: Run, talker: Talker) -> None:
    talker.ask(upload(png()))
    assert "imageUpload" in printed(run("journal", "wait", "--timeout", "60s"))
    assert "there were 1 entries" in refused(run("journal", "wait", "--count", "2", "--timeout", "10ms"))


def test_a_time_that_is_none_is_a_mistake_of_usage(run: Run) -> None:
    assert refused(run("journal", "wait", "--timeout", "soon"), 2).startswith("bad value for --timeout: not a duration")


# State


def test_a_snapshot_is_saved_restored_and_deleted(run: Run, picture: str, api_key: str) -> None:
    printed(run("media", "add", picture))
    assert printed(run("snapshot", "save", "one")) == f"saved one of account {masked(api_key)}: 1 media\n"
    assert printed(run("reset", "media")).startswith(f"reset account {masked(api_key)}\n")
    assert printed(run("snapshot", "restore", "one")) == f"restored one of account {masked(api_key)}: 1 media\n"
    assert len(printed(run("media", "list")).splitlines()) == 2
    assert printed(run("snapshot", "list")).splitlines()[1].split()[0] == "one"
    assert printed(run("snapshot", "delete", "one")) == f"deleted one of account {masked(api_key)}\n"
    assert printed(run("snapshot", "list")) == "none\n"


def test_a_state_is_exported_and_imported(run: Run, picture: str, tmp_path: Path, api_key: str) -> None:
    printed(run("media", "add", picture))
    archive = str(tmp_path / "state.zip")
    assert printed(run("export", archive)).startswith(f"wrote the state of account {masked(api_key)} to {archive}, ")
    printed(run("reset"))
    assert printed(run("import", archive)).startswith(f"imported into account {masked(api_key)}: 1 media, ")
    assert refused(run("import", picture)).startswith("this is not an archive that runware-mock exported")


def test_an_archive_that_cannot_be_written_is_told_in_one_line(run: Run, tmp_path: Path) -> None:
    assert "cannot write" in refused(run("export", str(tmp_path / "no-such-folder" / "state.zip")))


# Faults


def test_a_fault_is_added_in_a_few_words(run: Run) -> None:
    added = printed(
        run("faults", "add", "latency", "delay=2s", "task_type=imageUpload", "times=3", "--name", "slow", "--json")
    )
    plan = json.loads(added)
    (fault,) = plan["faults"]
    assert (plan["name"], plan["must_be_met"]) == ("slow", True)
    assert (fault["kind"], fault["delay"], fault["task_type"], fault["times"]) == ("latency", "2s", "imageUpload", 3)
    assert printed(run("faults", "list")).splitlines()[1].split()[0] == "slow"
    assert "faults[0].kind" in printed(run("faults", "show", "slow"))


FAULT = {"kind": "latency", "delay": "1ms"}


@pytest.mark.parametrize("document", [FAULT, [FAULT], {"faults": [FAULT], "name": "other"}])
@pytest.mark.parametrize("source", ["a file", "standard input"])
def test_a_plan_is_read_as_json(run: Run, tmp_path: Path, document: object, source: str) -> None:
    text = json.dumps(document)
    file = tmp_path / "plan.json"
    file.write_text(text)
    where = str(file) if source == "a file" else "-"
    added = json.loads(printed(run("faults", "add", where, "--name", "mine", "--may-be-unmet", "--json", text=text)))
    assert (added["name"], added["must_be_met"], added["faults"][0]["kind"]) == ("mine", False, "latency")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("no-such-file.json",), "no-such-file.json"),
        (("-",), "cannot read a plan from -"),
        (("-", "times=3"), "times=3"),
        (("latency", "3"), "write FIELD=VALUE instead of '3'"),
    ],
)
def test_what_is_no_plan_is_a_mistake_of_usage(run: Run, arguments: tuple[str, ...], text: str) -> None:
    assert text in refused(run("faults", "add", *arguments, text="[NaN]"), 2)


def test_a_kind_that_does_not_exist_is_refused_in_one_line(run: Run) -> None:
    assert (
        refused(run("faults", "add", "latensy"))
        == "faults[0].kind: there is no fault kind 'latensy'; did you mean latency?"
    )
    field = refused(run("faults", "add", "latency", "dely=2s"))
    assert field == "faults[0].dely: a fault of the kind latency has no field 'dely'; did you mean delay?"
    assert "; there are error, latency, " in refused(run("faults", "add", "earthquake"))
    missing = refused(run("faults", "add", "error"))
    assert missing == "the field faults[0].code is missing; `runware-mock faults kinds error` lists its fields"
    assert refused(run("faults", "add", "http", "status=99")) == "faults[0].status must be at least 200; it is 99"


def test_verify_fails_until_every_plan_is_met(run: Run, talker: Talker) -> None:
    assert printed(run("faults", "verify")) == "every plan is met\n"
    printed(run("faults", "add", "error", "code=internalServerError", "--name", "flaky"))
    unmet = run("faults", "verify")
    assert (unmet.exit_code, unmet.stderr) == (1, "runware-mock: not met: flaky\n")
    assert unmet.stdout == "flaky: error 0 of 1\n"
    talker.ask(upload(png()))
    assert printed(run("faults", "verify")) == "every plan is met\n"


def test_plans_are_deleted_by_name_or_all(run: Run, api_key: str) -> None:
    for name in ("a", "b", "c"):
        printed(run("faults", "add", "latency", "--name", name))
    assert printed(run("faults", "delete", "a")) == "deleted a\n"
    assert printed(run("faults", "delete")) == f"deleted 2 fault plans of account {masked(api_key)}\n"


def test_every_kind_of_fault_is_listed_as_documented_and_its_example_can_be_added(run: Run) -> None:
    lines = run("faults", "kinds").stdout.splitlines()
    named = [line.partition(":")[0] for line in lines[::3]]
    assert named == list(KINDS)
    for name, example in zip(named, lines[2::3], strict=True):
        program, *arguments = example.split()[1:]
        assert program == "runware-mock"
        assert run(*arguments).exit_code == 0, example
        assert run("faults", "kinds", name).stdout.splitlines()[:3] == lines[3 * named.index(name) :][:3]


def test_each_field_of_a_kind_is_listed_with_its_values_its_default_and_what_it_means(run: Run) -> None:
    for kind, model in KINDS.items():
        lines = run("faults", "kinds", kind).stdout.splitlines()
        for name, field in model.model_fields.items():
            if name == "kind":
                continue
            assert field.description, f"{kind}.{name} has no description"
            (line,) = [one for one in lines if one.startswith((f"  {name}:", f"  {name} ("))]
            assert f": {field.description.removesuffix('.')}" in line
            assert ("(required)" in line) is field.is_required()
    error, upload, drawn = (run("faults", "kinds", kind).stdout for kind in ("error", "cut_upload", "latency"))
    assert "  code (required): Code of the error: invalidApiKey, missingApiKey, " in error
    assert "  how (stall, reset or refuse; default reset): " in upload
    assert "  distribution (fixed, uniform or lognormal; default fixed): " in drawn
    assert "  times (1): How many times it happens; null for every time." in drawn


def test_a_kind_that_does_not_exist_is_refused_with_the_nearest(run: Run) -> None:
    ended = run("faults", "kinds", "latensy")
    assert (ended.exit_code, ended.stderr) == (
        2,
        "runware-mock: there is no fault kind 'latensy'; did you mean latency?\n",
    )


@pytest.mark.parametrize("name", ["photo.xyz", "photo", "photo.tiff"])
def test_a_sample_in_another_format_is_refused_with_the_formats_there_are(tmp_path: Path, name: str) -> None:
    ended = invoked("sample", str(tmp_path / name))
    assert ended.exit_code == 2
    assert ended.stderr.endswith("its name must end in .jpg, .jpeg, .png, .webp, .bmp or .gif\n")
    assert not (tmp_path / name).exists()


def groups(group: click.Group, *path: str) -> Iterator[list[str]]:
    """Return the arguments that lead to each group of commands."""
    yield list(path)
    for name, inner in group.commands.items():
        if isinstance(inner, click.Group):
            yield from groups(inner, *path, name)


@pytest.mark.parametrize("columns", [60, 80])
@pytest.mark.parametrize("path", list(groups(main)), ids=" ".join)
def test_no_summary_of_a_command_is_cut_on_a_narrow_terminal(path: list[str], columns: int) -> None:
    shown = CliRunner().invoke(main, [*path, "--help"], terminal_width=columns).stdout
    lines = shown.partition("Commands:")[2].splitlines()
    assert lines
    assert not [line for line in lines if line.endswith("...")]


@pytest.mark.parametrize(
    ("arguments", "default"),
    [(("reset",), "$RUNWARE_API_KEY, or else all accounts."), (("media", "add"), "$RUNWARE_API_KEY.")],
)
def test_the_help_says_which_account_a_command_acts_on_by_default(arguments: tuple[str, ...], default: str) -> None:
    shown = " ".join(invoked(*arguments, "--help").stdout.split())
    assert f"API key of the account. Default: {default}" in shown


def test_help_is_written_as_the_documentation_is() -> None:
    assert "until you press Ctrl-C." in invoked("open", "--help").stdout
    assert "File listing bad cells to accept." in invoked("exec", "--help").stdout
    assert "Use libvips for downsizing where it is better: auto" in " ".join(invoked("serve", "--help").stdout.split())
