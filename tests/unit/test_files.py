"""Files appear whole or not at all, and never over something by accident."""

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from infill.errors import Unwritable, WouldOverwrite
from infill.files import TEMPORARY, check_writable, write_atomically


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_bytes_and_functions_are_written(tmp_path):
    assert write_atomically(tmp_path / "a", b"one") == tmp_path / "a"
    assert write_atomically(str(tmp_path / "b"), lambda file: file.write(b"two")) == tmp_path / "b"
    assert (tmp_path / "a").read_bytes() == b"one"
    assert (tmp_path / "b").read_bytes() == b"two"
    assert names(tmp_path) == ["a", "b"]


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, OSError])
def test_an_exception_leaves_nothing_behind(tmp_path, overwrite, error):
    path = tmp_path / "out"
    if overwrite:
        path.write_bytes(b"old")

    def content(file):
        file.write(b"half")
        raise error("stop")

    with pytest.raises(Unwritable if error is OSError else error, match="stop"):
        write_atomically(path, content, overwrite=overwrite)
    assert names(tmp_path) == (["out"] if overwrite else [])
    assert not overwrite or path.read_bytes() == b"old"


def test_a_killed_process_leaves_the_old_file(tmp_path):
    path = tmp_path / "out"
    path.write_bytes(b"old")
    program = (
        "import sys, time\n"
        "from infill.files import write_atomically\n"
        "def content(file):\n"
        "    file.write(b'half' * 100000); file.flush(); print('now', flush=True); time.sleep(60)\n"
        "write_atomically(sys.argv[1], content, overwrite=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"now\n"
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert path.read_bytes() == b"old"
    left = [name for name in names(tmp_path) if name != "out"]
    assert len(left) == 1
    assert Path(left[0]).match(TEMPORARY)


def test_nothing_is_overwritten_unasked(tmp_path):
    path = tmp_path / "out"
    path.write_bytes(b"old")
    with pytest.raises(WouldOverwrite, match="out exists"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    write_atomically(path, b"new", overwrite=True)
    assert path.read_bytes() == b"new"


def test_a_file_that_appears_meanwhile_is_not_overwritten(tmp_path):
    path = tmp_path / "out"

    def content(file):
        path.write_bytes(b"of another process")
        file.write(b"ours")

    with pytest.raises(WouldOverwrite):
        write_atomically(path, content)
    assert path.read_bytes() == b"of another process"
    assert names(tmp_path) == ["out"]


def test_without_hard_links(tmp_path, monkeypatch):
    def refused(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    write_atomically(tmp_path / "out", b"one")
    assert (tmp_path / "out").read_bytes() == b"one"

    def content(file):
        (tmp_path / "two").write_bytes(b"of another process")

    with pytest.raises(WouldOverwrite):
        write_atomically(tmp_path / "two", content)
    assert names(tmp_path) == ["out", "two"]


def test_the_input_is_named_however_it_is_reached(tmp_path, monkeypatch):
    source = tmp_path / "photo.png"
    source.write_bytes(b"photo")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.png").symlink_to(source)
    (tmp_path / "hard.png").hardlink_to(source)
    monkeypatch.chdir(tmp_path / "folder")
    for path in (source, "../photo.png", tmp_path / "folder/../photo.png", "../link.png"):
        with pytest.raises(WouldOverwrite, match="is the input"):
            check_writable(path, inputs=[source])
        check_writable(path, inputs=[source], overwrite=True)
    with pytest.raises(WouldOverwrite, match="is the input"):
        check_writable("../hard.png", inputs=[source])
    with pytest.raises(WouldOverwrite, match="exists"):
        check_writable(source, inputs=[tmp_path / "other.png"])
    check_writable(tmp_path / "new.png", inputs=[source])


def test_a_link_stays_a_link(tmp_path):
    target = tmp_path / "target"
    target.write_bytes(b"old")
    link = tmp_path / "link"
    link.symlink_to(target)
    write_atomically(link, b"new", overwrite=True)
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    dangling = tmp_path / "dangling"
    dangling.symlink_to(tmp_path / "later")
    write_atomically(dangling, b"x")
    assert (tmp_path / "later").read_bytes() == b"x"


def test_permissions(tmp_path):
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "new", b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640
    (tmp_path / "new").chmod(0o600)
    write_atomically(tmp_path / "new", b"x", overwrite=True)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o600


@pytest.mark.parametrize("overwrite", [False, True])
def test_paths_that_cannot_be_written(tmp_path, overwrite):
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "loop").symlink_to("loop")
    for path, message in [
        (tmp_path / "missing" / "out", "no folder"),
        (tmp_path / "file" / "out", "no folder"),
        (tmp_path, "is a folder"),
        (tmp_path / ("x" * 300), "too long"),
        ("nul\0", "null"),
        ("/dev/null", "no ordinary file"),
        (tmp_path / "loop" / "out", "no folder|symbolic links"),
    ]:
        for attempt in (check_writable, lambda p, **o: write_atomically(p, b"x", **o)):
            with pytest.raises(Unwritable, match=message):
                attempt(path, overwrite=overwrite)
    assert names(tmp_path) == ["file", "loop"]


def test_a_closed_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write anywhere
    with pytest.raises(Unwritable, match="no permission"):
        check_writable(tmp_path / "out")


def test_a_full_disk(tmp_path):
    def content(file):
        raise OSError(28, "No space left on device")

    with pytest.raises(Unwritable, match="no space left"):
        write_atomically(tmp_path / "out", content)
    assert names(tmp_path) == []


def test_many_writers_and_one_reader(tmp_path):
    """Whoever reads while others write sees one whole file or another."""
    path = tmp_path / "out"
    path.write_bytes(b"0" * 200_000)
    program = (
        "import sys\nfrom infill.files import write_atomically\n"
        "for i in range(40):\n"
        "    write_atomically(sys.argv[1], sys.argv[2].encode() * 200000, overwrite=True)\n"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", program, str(path), letter]) for letter in "ab"
    ]
    deadline = time.monotonic() + 30
    while any(writer.poll() is None for writer in writers) and time.monotonic() < deadline:
        data = path.read_bytes()
        assert len(data) == 200_000
        assert len(set(data)) == 1
    assert [writer.wait() for writer in writers] == [0, 0]
    assert names(tmp_path) == ["out"]
