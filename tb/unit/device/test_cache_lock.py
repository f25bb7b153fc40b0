"""Lock of the cache of simulators, while another process holds it."""

import fcntl
import os
import threading

from weft_host.device import cache_lock


def test_reports_the_process_that_it_waits_for(tmp_path, monkeypatch):
    monkeypatch.setattr(cache_lock, "_REPORT", 0.01)
    heard, waited = [], threading.Event()

    def progress(text):
        heard.append(text)
        waited.set()

    def release():
        waited.wait(10)
        fcntl.flock(other, fcntl.LOCK_UN)

    with open(tmp_path / "key.lock", "w") as other:
        other.write("4711")
        other.flush()
        fcntl.flock(other, fcntl.LOCK_EX)
        thread = threading.Thread(target=release)
        thread.start()
        with cache_lock.locked(tmp_path, "key", progress):
            assert (tmp_path / "key.lock").read_text() == str(os.getpid())
        thread.join()
    assert heard[0] == (f"waiting for process 4711, which builds the same simulator in {tmp_path}, "
                        "for 0 s")


def test_a_free_lock_is_taken_silently(tmp_path):
    heard = []
    for _ in range(2):
        with cache_lock.locked(tmp_path / "new", "key", heard.append):
            pass
    assert not heard
