"""What people are asked: the four criteria that eyes can judge."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Criterion:
    """One question of a ballot. prompted: asked only where there is a prompt."""

    name: str
    title: str
    question: str
    prompted: bool = False


CRITERIA = (
    Criterion("realism", "Realism", "Which looks most like a photo that nobody touched?"),
    Criterion("adaptability", "Adaptability", "Which shows best what the words ask for?", True),
    Criterion(
        "preservation",
        "Preservation",
        "Which keeps everything outside the marked part most as it was?",
    ),
    Criterion(
        "consistency",
        "Consistency",
        "In which does the marked part go best with what is around it: light, colour, lines, "
        "grain?",
    ),
)
NAMES = tuple(criterion.name for criterion in CRITERIA)


def asked(prompt: str) -> tuple[Criterion, ...]:
    """What is asked of a sample with that prompt ("" = none)."""
    return tuple(one for one in CRITERIA if prompt or not one.prompted)
