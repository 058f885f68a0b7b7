"""Draw the stand-ins' SVGs, which are made of absolute M, L, H, V and Z alone, so that tests can look at them."""

import re
from xml.etree.ElementTree import fromstring

from PIL import Image, ImageDraw

_SVG = "{http://www.w3.org/2000/svg}"


def drawn_svg(document: str) -> Image.Image:
    """Return the picture in RGBA, transparent where nothing is drawn."""
    svg = fromstring(document)  # noqa: S314 - made by ourselves
    size = int(svg.attrib["width"]), int(svg.attrib["height"])
    result = Image.new("RGBA", size, (0, 0, 0, 0))
    for group in svg.iter(_SVG + "g"):
        scale_x, scale_y = map(float, group.attrib["transform"].removeprefix("scale(").removesuffix(")").split())
        for path in group.iter(_SVG + "path"):
            mask = Image.new("1", size, 0)
            draw = ImageDraw.Draw(mask)
            for outline in _outlines(path.attrib["d"]):
                draw.polygon([(x * scale_x, y * scale_y) for x, y in outline], fill=1)
            result.paste(path.attrib["fill"], mask=mask)
    return result


def _outlines(path: str) -> list[list[tuple[float, float]]]:
    outlines: list[list[tuple[float, float]]] = []
    x, y = 0.0, 0.0
    for command, numbers in re.findall(r"([MLHVZ])([^MLHVZ]*)", path):
        places = [float(number) for number in numbers.split()]
        if command == "Z":
            continue
        x, y = places if command in "ML" else (places[0], y) if command == "H" else (x, places[0])
        if command == "M":
            outlines.append([])
        outlines[-1].append((x, y))
    return outlines
