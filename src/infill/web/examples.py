"""The examples of the app: the package's own photos, each with a click and words to start from."""

from dataclasses import dataclass

from infill import examples


@dataclass(frozen=True)
class Start:
    """An example as the app offers it.

    point:  (x, y) in the photo's pixels, on what its mask is of.
    prompt, negative: what could stand there instead, and what should not.
    """

    example: examples.Example
    title: str
    point: tuple[float, float]
    prompt: str
    negative: str


_WORDS = {
    "astronaut": (
        "Astronaut",
        (412.5, 209.5),
        "a potted fern on a stand, soft studio light",
        "text, people, blur",
    ),
    "coffee": (
        "Coffee",
        (366.5, 285.5),
        "a small almond biscuit on a red saucer",
        "spoon, hands, blur",
    ),
    "rocket": (
        "Rocket",
        (442.5, 380.5),
        "a clear evening sky above a flat horizon",
        "towers, cables, text",
    ),
}

STARTS = tuple(Start(example, *_WORDS[example.name]) for example in examples.EXAMPLES)
