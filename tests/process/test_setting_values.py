"""What a setting takes of what is given for it, by flag, variable, ini file or in Python."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runware_mock.settings import BadSetting, Settings

FIELDS = Settings.model_fields

# setting, what is taken at its bounds, and what lies beyond them
BOUNDS = [
    ("port", ["0", "65535"], ["-1", "65536"]),
    ("workers", ["1", "64"], ["0", "65"]),
    ("threads", ["0", "256"], ["-1", "257"]),
    ("max_message_bytes", [1024, "1KiB"], [1023, "1023B", "1024"]),
    ("journal_bytes", ["64KiB"], [65535]),
    ("quota_bytes", ["0"], ["-1"]),
    ("purge_every", ["1ms"], ["0s", timedelta(0), timedelta(seconds=-1)]),
    ("retention", ["0s"], [timedelta(microseconds=-1)]),
    ("content_timeout", ["1h"], ["3600.001s", "0"]),
    ("fetch_timeout", ["1d", timedelta(days=1)], ["86401s", "86400"]),
    ("decode_timeout", ["1d", timedelta(days=1)], ["86401s", "86400"]),
    ("public_url", ["http://a", "https://a.example/b"], ["http://", "ftp://a", "a.example"]),
    ("control_token", ["x"], [""]),
]
SWITCHES = {
    True: ("1", "on", "t", "true", "y", "yes", "YES", True, 1),
    False: ("0", "off", "f", "false", "n", "no", "Off", False, 0),
}


@pytest.mark.parametrize(("name", "taken", "refused"), BOUNDS)
def test_a_bound_belongs_to_what_is_taken(name: str, taken: list[object], refused: list[object]) -> None:
    for value in taken:
        Settings(**{name: value})
    for value in refused:
        with pytest.raises(BadSetting) as bad:
            Settings(**{name: value})
        assert bad.value.name == name


@pytest.mark.parametrize("is_on", SWITCHES)
def test_a_switch_has_many_words(*, is_on: bool) -> None:
    assert [Settings(durable=word).durable for word in SWITCHES[is_on]] == [is_on] * 9


@pytest.mark.parametrize("given", ["a, b", "a b", ("a", "b"), ["a,b"]])
def test_names_may_be_one_text_or_many(given: object) -> None:
    assert Settings(api_key=given).api_keys() == ("a", "b")
    assert Settings(allow_origin=given).allow_origin == ("a", "b")


def test_what_is_given_in_python_may_be_of_its_own_type(tmp_path: Path) -> None:
    made = Settings(data_dir=tmp_path, retention=timedelta(hours=1), port=1, in_memory=True, url_map=())
    assert (made.data_dir, made.retention, made.port, made.in_memory) == (tmp_path, timedelta(hours=1), 1, True)


def test_none_is_as_nothing_given_where_nothing_is_the_default() -> None:
    assert Settings(database_url=None, seed=None) == Settings()
    for name in FIELDS.keys() - {name for name, field in FIELDS.items() if field.default is None}:
        with pytest.raises(BadSetting):
            Settings(**{name: None})


def test_what_is_no_setting_is_refused_by_name() -> None:
    with pytest.raises(BadSetting, match="no such setting") as bad:
        Settings(retentoin="7d")
    assert bad.value.name == "retentoin"


def test_a_database_in_memory_and_elsewhere_is_refused() -> None:
    with pytest.raises(BadSetting) as bad:
        Settings(in_memory=True, database_url="sqlite:///file")
    assert bad.value.name == "in_memory"


def test_secrets_are_not_shown() -> None:
    made = Settings(api_key=("secret",), control_token="secret", database_url="postgresql://user:secret@host/name")  # noqa: S106 - of a test
    assert "secret" not in repr(made)
    assert "secret" not in str(made)
    assert "secret" not in str(made.changed())


def test_the_environment_of_a_test_does_not_change_the_server_it_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNWARE_MOCK_PORT", "99")
    monkeypatch.setenv("RUNWARE_MOCK_API_KEY", "a b")
    monkeypatch.setenv("RUNWARE_MOCK_CONTROL_TOKEN", "")
    assert Settings() == Settings(port=8080)
    by_variables = Settings.from_environment({**dict.fromkeys(Settings.model_fields), "port": 1})
    assert (by_variables.port, by_variables.api_keys(), by_variables.control_token) == (1, ("a", "b"), None)


ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.tuples(st.text())


@given(st.sampled_from(sorted(FIELDS)), ANYTHING)
def test_anything_is_taken_or_refused_by_name(name: str, value: object) -> None:
    try:
        Settings(**{name: value})
    except BadSetting as bad:
        assert bad.name in (name, "tls_key")  # noqa: PT017 - either outcome is right
