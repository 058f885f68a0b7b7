"""The application."""

import base64
import os
import uuid

import httpx


def upload(picture: bytes) -> dict[str, str]:
    """Upload a picture; try again if the service is busy."""
    task = {"taskType": "imageUpload", "taskUUID": str(uuid.uuid4()), "image": base64.b64encode(picture).decode()}
    headers = {"Authorization": f"Bearer {os.environ['RUNWARE_API_KEY']}"}
    for _ in range(3):
        answer = httpx.post(os.environ["RUNWARE_BASE_URL"], json=[task], headers=headers)
        if answer.status_code < 500:
            break
    return answer.raise_for_status().json()["data"][0]
