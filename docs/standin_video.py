"""Make the video that videoInference answers with: two seconds of ffmpeg's own test picture, in H.264."""

import subprocess
from pathlib import Path

TARGET = Path(__file__).parent.parent / "server" / "runware_mock" / "tasks" / "standin.mp4"
SOURCE = "testsrc2=size=320x180:rate=12:duration=2"
ENCODING = "-c:v libx264 -preset veryslow -crf 36 -pix_fmt yuv420p -movflags +faststart -map_metadata -1 -bitexact"

if __name__ == "__main__":
    command = ["ffmpeg", "-y", "-loglevel", "error", "-f", "lavfi", "-i", SOURCE, *ENCODING.split(), str(TARGET)]
    subprocess.run(command, check=True)  # noqa: S603 - ffmpeg, with the arguments above
