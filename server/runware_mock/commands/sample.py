"""`runware-mock sample`: a picture to try the server with."""

from pathlib import Path

import click

_SIZE_PX = (3000, 2000)


@click.command("sample")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def sample(file: Path) -> None:
    """Write a picture larger than 2048 px to FILE, to have something to upload.

    The extension chooses the format: .jpg, .png, .webp, .bmp or .gif.
    """
    from PIL import Image, ImageDraw

    horizontal = Image.linear_gradient("L").rotate(90).resize(_SIZE_PX)
    vertical = Image.linear_gradient("L").resize(_SIZE_PX)
    picture = Image.merge("RGB", (horizontal, vertical, Image.new("L", _SIZE_PX, 160)))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((1050, 550, 1950, 1450), fill=(250, 220, 120))
    draw.text((60, 60), "runware-mock sample", fill="white", font_size=160)
    try:
        picture.save(file)
    except (OSError, ValueError) as error:
        raise click.ClickException(f"cannot write {file}: {error}") from error
    click.echo(f"wrote {file}, {_SIZE_PX[0]}x{_SIZE_PX[1]} px")
