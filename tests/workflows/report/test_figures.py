"""Drawing the figures of a report in processes of its own."""

import subprocess
import sys
import time
from pathlib import Path


def test_processes_that_draw_do_not_outlive_the_one_that_started_them() -> None:
    code = """if True:
        import os, sys, time
        from workflows.report.figures import _pool
        with _pool(2) as pool:
            print(pool.submit(os.getpid).result(), flush=True)
            time.sleep(60)
    """
    starter = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    drawing = int(starter.stdout.readline())
    starter.kill()
    starter.wait()
    starter.stdout.close()
    deadline = time.monotonic() + 20
    while Path(f"/proc/{drawing}").exists():
        assert time.monotonic() < deadline, "it lives on"
        time.sleep(0.1)
