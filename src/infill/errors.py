"""Every error that Infill raises on purpose, in one tree.

InfillError                 one clear sentence: what is wrong, where, and the mend
├── PictureError            a photo cannot be read, held or written
│   ├── NotAPicture         the file is no image, or of a kind that is not read
│   ├── EmptyFile           the file has zero bytes
│   ├── TruncatedPicture    the file ends too early or is damaged
│   ├── TooManyPixels       larger than the limit in the settings
│   ├── BadPixels           an array of the wrong shape, dtype or range (NaN included)
│   ├── Unreadable          missing, a folder, or no permission to read
│   ├── Unwritable          no such folder, or no permission to write
│   ├── WouldOverwrite      the output exists, or is the input
│   └── FormatCannotHold    the extension cannot hold this picture, or is unknown
├── MaskError               a mask cannot be read, made or used
│   ├── MaskSizeMismatch    the mask is of another size than the photo
│   ├── FullMask            everything is masked: nothing left to fill from
│   ├── BadMask             the source or the arguments describe no mask
│   └── BadPrompt           a click, box, brush or text that no segmenter can use
├── EngineError             an engine cannot run
│   ├── UnknownPlugin       no plug-in of that name
│   ├── DuplicatePlugin     two plug-ins claim one name
│   ├── BadOption           an unknown option, or a value out of range
│   ├── EngineFailed        the engine raised, or returned something that is no picture
│   │   └── Drifted         what it made does not fit the photo around the hole
│   └── MissingWeights      weights are not on this machine; names the command to type
├── MissingExtra            an optional dependency is not installed; names the pip command
├── BadSetting              a setting that is unknown or out of range
├── BadRecipe               no recipe where one is needed, or one that cannot be replayed
├── BatchError              a batch run cannot start or go on
├── ServiceError            a server refuses or gives up a request
│   ├── QueueFull           too many requests wait already; try again later
│   ├── OverLimit           more bytes, steps or pictures than the settings allow
│   ├── NoSuchJob           no job of that number, or it is not the caller's
│   ├── WorkerDied          the process that did the work is gone
│   └── TimedOut            the work took longer than the settings allow
└── Cancelled               the caller asked to stop

Only the command line ends the process: it prints the sentence and exits with `exit_code`.
"""


class InfillError(Exception):
    """Base of every error raised on purpose; `str(error)` is one sentence for a person."""

    exit_code: int = 2


class PictureError(InfillError):
    """A photo cannot be read, held or written."""


class NotAPicture(PictureError):
    """The file is no image, or of a kind that is not read."""


class EmptyFile(PictureError):
    """The file has zero bytes."""


class TruncatedPicture(PictureError):
    """The file ends too early or is damaged."""


class TooManyPixels(PictureError):
    """The picture is larger than the limit in the settings (checked before decoding)."""


class BadPixels(PictureError):
    """An array of the wrong shape, dtype or range, NaN and infinity included."""


class Unreadable(PictureError):
    """The path is missing, a folder, or may not be read."""


class Unwritable(PictureError):
    """The output's folder is missing, or may not be written."""


class WouldOverwrite(PictureError):
    """The output exists already, or is the input, and overwriting was not asked for."""


class FormatCannotHold(PictureError):
    """The extension is unknown, or its format cannot hold this picture without loss."""


class MaskError(InfillError):
    """A mask cannot be read, made or used."""


class MaskSizeMismatch(MaskError):
    """The mask is of another size than the photo."""


class FullMask(MaskError):
    """Every pixel is masked, so there is nothing to fill from."""


class BadMask(MaskError):
    """The source or the arguments describe no mask."""


class BadPrompt(MaskError):
    """A click, box, brush or text that says nothing, or that the segmenter does not take."""


class EngineError(InfillError):
    """An engine cannot run."""


class UnknownPlugin(EngineError):
    """No plug-in of that name is registered."""


class DuplicatePlugin(EngineError):
    """Two plug-ins claim one name."""


class BadOption(EngineError):
    """An option that the engine does not have, or a value out of its range."""


class EngineFailed(EngineError):
    """The engine raised, or returned something that is no picture."""


class Drifted(EngineFailed):
    """What the engine made does not fit the photo around the hole and can't be put right."""


class MissingWeights(EngineError):
    """A network's weights are not on this machine, or damaged; the message says what to type."""


class MissingExtra(InfillError):
    """An optional dependency is not installed; the message names the command to type."""


class BadSetting(InfillError):
    """A setting that is unknown or out of range."""


class BadRecipe(InfillError):
    """No recipe where one is needed, or one that cannot be replayed here."""


class BatchError(InfillError):
    """A batch run cannot start or go on."""


class ServiceError(InfillError):
    """A server refuses a request or gives it up."""


class QueueFull(ServiceError):
    """As many requests as the settings allow wait already; `retry_after` says for how long."""

    def __init__(self, message: str, retry_after: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """Seconds after which it is worth trying again."""


class OverLimit(ServiceError):
    """More bytes, steps or pictures than the settings allow."""


class NoSuchJob(ServiceError):
    """No job of that number, or its results are deleted by now."""


class WorkerDied(ServiceError):
    """The process that did the work was killed or crashed."""


class TimedOut(ServiceError):
    """The work took longer than the settings allow."""


class Cancelled(InfillError):
    """The caller asked to stop; nothing was written."""

    exit_code = 130
