"""An application that recovers: `pytest --runware-mock-matrix` runs this test with each fault at each place."""

from runware_mock import RunwareMock
from tests.examples.socket_application import SocketApplication


def test_pictures_are_uploaded_kept_and_described(runware_mock: RunwareMock, picture: bytes) -> None:
    application = SocketApplication(runware_mock.env())

    image_uuid = application.upload(picture)
    application.keep(picture)
    assert application.describe(image_uuid)

    application.close()
