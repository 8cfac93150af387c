"""Where things lie in the folder of a run, relative to it and with forward slashes.

run.json                               the options it was started with
rows.jsonl                             a row for each fill
trials.jsonl                           how far the trials of one engine on one sample lie apart
samples/SLUG/before.png, mask.png, truth.png
fills/SLUG/ENGINE/TRIAL.png            each with its recipe inside
features/METRIC/SLUG/ENGINE/TRIAL.npy  what set metrics keep of a fill; SLUG/truth.npy of
                                       the truth
"""

import hashlib
import re

FORMAT = 1
"""Goes up when a row means something else than before."""

TRIALS, SETS = "trials.jsonl", "sets.json"
SAMPLES, FILLS, FEATURES = "samples", "fills", "features"


def sample_folder(slug: str) -> str:
    """The folder of what was filled."""
    return f"{SAMPLES}/{slug}"


def fill_path(slug: str, label: str, trial: int) -> str:
    """The filled photo."""
    return f"{FILLS}/{slug}/{safe(label)}/{trial}.png"


def feature_path(metric: str, slug: str, label: str | None = None, trial: int = 0) -> str:
    """What a set metric keeps of a fill, or (without a label) of the truth."""
    kept = "truth" if label is None else f"{safe(label)}/{trial}"
    return f"{FEATURES}/{metric}/{slug}/{kept}.npy"


def safe(label: str) -> str:
    """An engine's label as the name of a folder; labels that differ give names that differ."""
    kept = re.sub(r"[^A-Za-z0-9._=-]+", "-", label).strip("-.")[:60]
    if kept == label:
        return kept
    return f"{kept}-{hashlib.sha256(label.encode()).hexdigest()[:8]}"
