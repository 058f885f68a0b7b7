"""The figure of sticks that pose detection draws."""

from math import atan2, cos, pi, sin

from PIL.Image import Image, new
from PIL.ImageDraw import Draw, ImageDraw

# The eighteen joints of a body, as shares of the figure's height, from the middle of the picture; the figure waves.
_JOINTS = {
    "nose": (0.0, 0.09),
    "neck": (0.0, 0.20),
    "right shoulder": (-0.09, 0.20),
    "right elbow": (-0.14, 0.34),
    "right wrist": (-0.13, 0.47),
    "left shoulder": (0.09, 0.20),
    "left elbow": (0.19, 0.27),
    "left wrist": (0.21, 0.13),
    "right hip": (-0.06, 0.49),
    "right knee": (-0.07, 0.71),
    "right ankle": (-0.08, 0.92),
    "left hip": (0.06, 0.49),
    "left knee": (0.08, 0.71),
    "left ankle": (0.10, 0.92),
    "right eye": (-0.025, 0.07),
    "left eye": (0.025, 0.07),
    "right ear": (-0.055, 0.085),
    "left ear": (0.055, 0.085),
}
# In the order and in the colours in which OpenPose draws them.
_LIMBS = (
    ("neck", "right shoulder"),
    ("neck", "left shoulder"),
    ("right shoulder", "right elbow"),
    ("right elbow", "right wrist"),
    ("left shoulder", "left elbow"),
    ("left elbow", "left wrist"),
    ("neck", "right hip"),
    ("right hip", "right knee"),
    ("right knee", "right ankle"),
    ("neck", "left hip"),
    ("left hip", "left knee"),
    ("left knee", "left ankle"),
    ("neck", "nose"),
    ("nose", "right eye"),
    ("right eye", "right ear"),
    ("nose", "left eye"),
    ("left eye", "left ear"),
)
_COLOURS = (
    (255, 0, 0),
    (255, 85, 0),
    (255, 170, 0),
    (255, 255, 0),
    (170, 255, 0),
    (85, 255, 0),
    (0, 255, 0),
    (0, 255, 85),
    (0, 255, 170),
    (0, 255, 255),
    (0, 170, 255),
    (0, 85, 255),
    (0, 0, 255),
    (85, 0, 255),
    (170, 0, 255),
    (255, 0, 255),
    (255, 0, 170),
    (255, 0, 85),
)
_HAND_JOINTS = 4

_Point = tuple[float, float]


def stick_figure(size: tuple[int, int], *, has_hands_and_face: bool = False) -> Image:
    """Return a figure that stands in the middle of a black picture, wherever people were in the original."""
    result = new("RGB", size, "black")
    draw = Draw(result)
    # At most so wide that the raised arm stays inside.
    height_px = min(0.94 * size[1], 2.2 * size[0])
    stroke_px = max(1.0, height_px / 55)
    joints = {
        name: (size[0] / 2 + x * height_px, (size[1] - height_px) / 2 + y * height_px)
        for name, (x, y) in _JOINTS.items()
    }
    for (start, end), colour in zip(_LIMBS, _COLOURS, strict=False):
        shade = (colour[0] * 6 // 10, colour[1] * 6 // 10, colour[2] * 6 // 10)
        _draw_limb(draw, joints[start], joints[end], stroke_px, shade)
    for joint, colour in zip(joints.values(), _COLOURS, strict=True):
        _draw_dot(draw, joint, max(1.0, stroke_px * 0.6), colour)
    if has_hands_and_face:
        for side in ("right", "left"):
            _draw_hand(draw, joints[f"{side} elbow"], joints[f"{side} wrist"], height_px)
        _draw_face(draw, joints["nose"], height_px)
    return result


def _draw_limb(draw: ImageDraw, start: _Point, end: _Point, stroke_px: float, colour: tuple[int, int, int]) -> None:
    """Draw a narrow ellipse from joint to joint."""
    (x, y), (other_x, other_y) = start, end
    mid_x, mid_y, turn = (x + other_x) / 2, (y + other_y) / 2, atan2(other_y - y, other_x - x)
    half_px = ((other_x - x) ** 2 + (other_y - y) ** 2) ** 0.5 / 2
    outline = []
    for step in range(24):
        along, aside = half_px * cos(step * pi / 12), stroke_px * 0.6 * sin(step * pi / 12)
        outline.append((mid_x + along * cos(turn) - aside * sin(turn), mid_y + along * sin(turn) + aside * cos(turn)))
    draw.polygon(outline, fill=colour, outline=colour)


def _draw_hand(draw: ImageDraw, elbow: _Point, wrist: _Point, height_px: float) -> None:
    """Draw five fingers that spread the way the lower arm points."""
    turn = atan2(wrist[1] - elbow[1], wrist[0] - elbow[0])
    for finger in range(5):
        way, colour = turn + (finger - 2) * 0.32, _COLOURS[finger * 3]
        points = [
            (wrist[0] + step * height_px * 0.016 * cos(way), wrist[1] + step * height_px * 0.016 * sin(way))
            for step in range(_HAND_JOINTS + 1)
        ]
        draw.line(points, fill=colour, width=max(1, round(height_px / 300)))
        for point in points[1:]:
            _draw_dot(draw, point, max(1.0, height_px / 320), (0, 0, 255))


def _draw_face(draw: ImageDraw, nose: _Point, height_px: float) -> None:
    """Dot the line of the chin, the mouth, the eyes and the brows in white."""
    ovals = ((0.0, 0.0, 0.05, 0.065, 0.0, pi), (0.0, 0.03, 0.018, 0.009, 0.0, 2 * pi))
    eyes = ((-0.024, -0.022, 0.009, 0.005, 0.0, 2 * pi), (0.024, -0.022, 0.009, 0.005, 0.0, 2 * pi))
    brows = ((-0.024, -0.03, 0.014, 0.008, pi, 2 * pi), (0.024, -0.03, 0.014, 0.008, pi, 2 * pi))
    for x, y, across, down, start, end in (*ovals, *eyes, *brows):
        for step in range(13):
            way = start + (end - start) * step / 12
            point = (nose[0] + (x + across * cos(way)) * height_px, nose[1] + (y + down * sin(way)) * height_px)
            _draw_dot(draw, point, max(0.5, height_px / 500), (255, 255, 255))


def _draw_dot(draw: ImageDraw, centre: _Point, radius_px: float, colour: tuple[int, int, int]) -> None:
    x, y = centre
    draw.ellipse((x - radius_px, y - radius_px, x + radius_px, y + radius_px), fill=colour)
