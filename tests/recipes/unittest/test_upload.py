import base64
import json
import unittest
import urllib.request
import uuid

import runware_mock

PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def upload(picture: str, url: str, key: str) -> dict[str, str]:
    """Your application."""
    task = {"taskType": "imageUpload", "taskUUID": str(uuid.uuid4()), "image": picture}
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps([task]).encode(), headers)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["data"][0]


class Uploads(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(runware_mock.serve())

    def setUp(self):
        # An account of its own, so that this test sees nothing of the others.
        self.mock = self.server.account(str(uuid.uuid4()))

    def test_a_picture_is_uploaded_once(self):
        upload(PICTURE, self.mock.rest_url, self.mock.api_key)
        self.mock.assert_uploaded(base64.b64decode(PICTURE), times=1)

    def test_a_picture_is_gone_after_30_days(self):
        image = upload(PICTURE, self.mock.rest_url, self.mock.api_key)
        self.mock.clock.advance(days=31)
        self.assertFalse(self.mock.is_stored(image["imageUUID"]))


if __name__ == "__main__":
    unittest.main()
