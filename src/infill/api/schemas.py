"""What a request may hold and what an answer holds, as OpenAPI tells it."""

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    WithJsonSchema,
)

from infill.api.fields import (
    Box,
    Boxes,
    Chain,
    Container,
    File,
    Point,
    Polygons,
    Seed,
    read_json,
    read_labels,
    read_points,
    read_single,
    read_whole_numbers,
)

FORMATS = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "tiff": "image/tiff",
    "avif": "image/avif",
    "bmp": "image/bmp",
}
"""The containers, and how HTTP calls them."""


class Body(BaseModel):
    """A request: a field that it does not have is an error, and so are NaN and infinity."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class FillRequest(Body):
    """A photo, what of it is to be filled, and how.

    The hole is the mask, the boxes and the polygons together; with none of them it is what is
    transparent in the photo.
    """

    photo: File = Field(description="The photo's file: PNG, JPEG, WebP, TIFF, BMP or AVIF.")
    mask: File | None = Field(
        None, description="A picture of the photo's size, white (or opaque) where the hole is."
    )
    invert_mask: bool = Field(False, description="The mask's dark part is the hole.")
    threshold: float = Field(0.5, ge=0, le=1, description="Brightness above which a mask is hole.")
    box: Boxes = Field((), description="Boxes [x0, y0, x1, y1] in pixels that are hole.")
    polygon: Polygons = Field((), description="Polygons [[x, y], …] in pixels that are hole.")
    refine: Chain = Field("", description="What is done to the hole first: grow=4,fill-holes.")
    engine: str | None = Field(
        None, max_length=100, description="An engine of GET /v1/engines; null = the server's own."
    )
    options: Annotated[dict[str, JsonValue], BeforeValidator(read_json)] = Field(
        {}, description="The engine's own options, see its controls in GET /v1/engines."
    )
    reference: File | None = Field(
        None, description="A picture to go by, for engines that have the option `reference`."
    )
    seed: Seed = Field(0, description="The same seed gives the same bytes.")
    candidates: int = Field(1, ge=1, description="How many fills, by the seeds that follow.")
    seeds: Annotated[tuple[Seed, ...] | None, BeforeValidator(read_whole_numbers)] = Field(
        None, description="The seeds themselves, in place of `seed` and `candidates`."
    )
    blend: float = Field(
        0.0, ge=0, le=1000, description="Width in pixels of a band in which fill and photo mix."
    )
    match_colour: bool = Field(
        False, description="Shift the fill to the mean colour around the hole."
    )
    format: Container | None = Field(
        None, description="Container of the answer; null = as Accept asks, else PNG."
    )
    quality: int | None = Field(None, ge=1, le=100, description="Of a lossy container.")
    recipe: Literal["embed", "none"] = Field(
        "embed", description="Whether the file tells how it was made."
    )
    wait: bool = Field(True, description="Answer with the picture; false: with the job's address.")


class SegmentRequest(Body):
    """A photo, and what a person says about the object in it. At least one of points, box,
    brush and text is needed.
    """

    photo: File = Field(description="The photo's file.")
    points: Annotated[tuple[Point, ...], BeforeValidator(read_points)] = Field(
        (), max_length=1000, description="Points [x, y] in pixels."
    )
    labels: Annotated[
        tuple[bool, ...],
        BeforeValidator(read_labels),
        WithJsonSchema({"type": "array", "items": {"enum": [True, False, 1, 0]}}),
    ] = Field(
        (), max_length=1000, description="For each point: on the object or not. None = all are."
    )
    box: Annotated[Box | None, BeforeValidator(read_single)] = Field(
        None, description="A box [x0, y0, x1, y1] that the object lies in."
    )
    brush: File | None = Field(
        None, description="A picture of the photo's size, white where the object is painted over."
    )
    text: str | None = Field(None, max_length=500, description="What it is, in a few words.")
    segmenter: str | None = Field(
        None, max_length=100, description="One of GET /v1/segmenters; null = the server's own."
    )
    format: Literal["png", "rle"] = Field(
        "png", description="How masks are given in JSON: as PNG in base64 or as COCO's run lengths."
    )


class RefineRequest(Body):
    """A mask and what is to be done to it."""

    mask: File = Field(description="A picture, white (or opaque) where the mask is.")
    chain: Chain = Field("", description="Steps: grow=4,fill-holes,smooth=2%.")
    feather: str = Field(
        "", max_length=30, description="Soften the outline over so much at the end: 4px or 5%."
    )
    invert: bool = Field(False, description="Exchange mask and background at the start.")
    threshold: float = Field(0.5, ge=0, le=1, description="Brightness above which it is mask.")


# --- answers ------------------------------------------------------------------------------


class Problem(BaseModel):
    """RFC 9457 problem details. `type` is a path on this server that tells more."""

    type: str = Field(examples=["/problems/mask-size-mismatch"])
    title: str = Field(examples=["The mask is of another size than the photo."])
    status: int = Field(examples=[422])
    detail: str
    errors: list[dict[str, Any]] | None = Field(None, description="Which fields are wrong.")
    retry_after: int | None = Field(None, description="Seconds after which to try again.")


class Health(BaseModel):
    status: Literal["ok"]
    version: str


class JobState(BaseModel):
    """Where a job stands."""

    id: str
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    fraction: float = Field(ge=0, le=1)
    stage: str = Field(description="A word for what is being done.")
    seconds_left: float | None = Field(description="A guess, once there is one.")
    position: int | None = Field(description="How many jobs are before it in the queue.")
    created: float = Field(description="Seconds since 1970, as the next two.")
    started: float | None
    ended: float | None
    candidates: int | None = Field(description="How many results there are, once it is done.")
    error: Problem | None


class FilledPicture(BaseModel):
    """One result, in JSON."""

    seed: int
    picture: str = Field(description="The file, in base64.")
    media_type: str
    lossy: bool = Field(description="Whether the container changed pixels after the proof.")
    outside_max_diff: int = Field(description="Of the pixels before they are coded: 0.")
    outside_pixels: int
    notes: list[str]
    recipe: dict[str, Any]


class Filled(BaseModel):
    """All candidates, in JSON."""

    job: str
    engine: str
    results: list[FilledPicture]


class RunLengths(BaseModel):
    """COCO's uncompressed run-length code: down the columns, background first."""

    size: tuple[int, int]
    counts: list[int]


class SegmentCandidate(BaseModel):
    score: float
    coverage: float = Field(description="Share of the photo that the mask covers.")
    mask: str | None = Field(None, description="PNG in base64, white = object.")
    rle: RunLengths | None = None


class Segmented(BaseModel):
    candidates: list[SegmentCandidate]


class RefinedMask(BaseModel):
    mask: str = Field(description="PNG in base64.")
    coverage: float
    pixels: int


class ControlInfo(BaseModel):
    """An option of an engine."""

    name: str
    kind: Literal["number", "whole number", "switch", "text", "choice", "picture"]
    default: Any
    low: float | None
    high: float | None
    choices: list[str]
    help: str


class EngineInfo(BaseModel):
    """An engine's card, its options, and whether it can run on this server."""

    name: str
    family: str
    summary: str
    authors: str
    published: str
    architecture: str
    paper: str
    licence: str
    commercial_use: bool
    parameters: int
    weights: list[dict[str, Any]]
    needs_prompt: bool
    needs_reference: bool
    redraws: bool = Field(description="Redraws the known pixels too; drift is corrected.")
    checkpoint: str = Field(description="The model on the hub that it loads, or nothing.")
    extra: str | None
    available: bool
    install: str | None = Field(description="What to type on the server if it is not available.")
    default: bool = Field(description="Whether it is what fills when no engine is named.")
    controls: list[ControlInfo]


class Engines(BaseModel):
    engines: list[EngineInfo]


class SegmenterInfo(BaseModel):
    name: str
    summary: str
    authors: str
    published: str
    paper: str
    licence: str
    commercial_use: bool
    prompts: list[str]
    extra: str | None
    available: bool = Field(description="Whether its packages and its weights are here.")
    install: str | None = Field(description="What to type on the server if it is not available.")
    default: bool


class Segmenters(BaseModel):
    segmenters: list[SegmenterInfo]


class ProblemKind(BaseModel):
    type: str
    title: str
    status: int
