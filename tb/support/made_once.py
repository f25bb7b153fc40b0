"""Folders that the processes of a test run share."""

import os
import shutil

from weft_host.device.cache_lock import locked

__all__ = ["made_once"]


def made_once(tmp_path_factory, name, make):
    """Return the folder ``name`` of this test run, which the first caller fills.

    Callers do not change the folder. Other processes of pytest-xdist wait while one fills it.

    Parameters
    ----------
    tmp_path_factory : fixture of that name.
    name : name of the folder, unique in the test run.
    make : function that fills the empty folder that it gets.
    """
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:     # each process has a folder in that of the run
        root = root.parent
    root, folder = root / "made_once", root / "made_once" / name
    with locked(root, name, print):
        if not (root / f"{name}.made").exists():
            shutil.rmtree(folder, ignore_errors=True)       # of an attempt that failed
            folder.mkdir()
            make(folder)
            (root / f"{name}.made").touch()
    return folder
