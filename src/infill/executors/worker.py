"""The other end of `local`: a process that reads items from stdin and writes results to stdout.

It is started by `local.py` and by nothing else. The first message is the pickled job, every
other one an item; each message is a pickle behind its length in eight bytes.
"""

import os
import pickle
import struct
import threading
import time
from typing import IO, Any

_LENGTH = struct.Struct("<Q")


def send(stream: IO[bytes], message: Any) -> None:
    """Write one message. Raises whatever pickling raises, before a byte is written."""
    data = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    stream.write(_LENGTH.pack(len(data)) + data)
    stream.flush()


def receive(stream: IO[bytes]) -> Any:
    """Read one message. Raises `EOFError` when the other side is gone."""
    head = _read(stream, _LENGTH.size)
    return pickle.loads(_read(stream, _LENGTH.unpack(head)[0]))


def _read(stream: IO[bytes], size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError("the other process is gone")
    return data


def main(parent: int) -> None:
    """Run the job on one item after another until the parent closes the pipe.

    parent: its process id. When it is killed, this process does not outlive it to write results
    that nobody waits for, perhaps over those of the next run.
    """
    stdin, stdout = channels(parent)
    job = pickle.loads(receive(stdin))
    try:
        while True:
            send_outcome(stdout, job, receive(stdin))
    except (EOFError, BrokenPipeError):
        # The parent is done, or was killed. Skip the interpreter's own slow farewell.
        os._exit(0)


def channels(parent: int) -> tuple[IO[bytes], IO[bytes]]:
    """Where a worker's messages come from and go to; from now on it leaves with its parent."""
    threading.Thread(target=_leave_with, args=(parent,), daemon=True).start()
    stdin = os.fdopen(os.dup(0), "rb")
    stdout = os.fdopen(os.dup(1), "wb")
    # What a library prints must not land among the messages.
    os.dup2(2, 1)
    return stdin, stdout


def _leave_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(1)


def send_outcome(stdout: IO[bytes], job: Any, item: Any) -> None:
    """Run the job on one item and send ("value", value) or ("error", sentence)."""
    try:
        message: tuple[str, Any] = ("value", job(item))
    except Exception as error:
        message = ("error", f"{type(error).__name__}: {error}")
    try:
        send(stdout, message)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        send(stdout, ("error", f"the result cannot be sent back: {error}"))
