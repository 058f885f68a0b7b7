"""A mock of one's own, wherever Python runs."""

import runware_mock
from tests.examples.application import Application

KEY = "a-key-for-tests-0123456789abcdef"


def test_a_script_has_a_server_while_it_needs_it(picture: bytes) -> None:
    with runware_mock.serve() as mock:
        application = Application(mock.env())
        application.upload(picture)
        mock.assert_uploaded(picture, times=1)
        application.close()


def test_every_run_makes_up_the_same_uuids(picture: bytes) -> None:
    def run() -> list[str]:
        with runware_mock.serve(seed=42, api_key=KEY) as mock:
            application = Application(mock.env())
            uuids = [application.upload(picture) for _ in range(3)]
            application.close()
            return uuids

    assert run() == run()


def test_settings_are_those_of_the_command(picture: bytes) -> None:
    with runware_mock.serve(retention="7d", formats="png,jpeg") as mock:
        uuid = mock.media.add(picture).uuid
        mock.clock.advance(days=8)
        assert not mock.is_stored(uuid)
