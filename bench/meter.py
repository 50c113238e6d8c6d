"""A process run on one core, and what it took: time, CPU, memory; and the servers that it talks to."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_TICK = 1 / os.sysconf("SC_CLK_TCK")
_LOOK = 0.01  # seconds between two looks at a process
CORES = sorted(os.sched_getaffinity(0))
SENDER, SINK = CORES[0], CORES[-1]
"""The core that the senders have, and that of whoever receives. One core for both where there is no second."""


@dataclass
class Ran:
    """A process that has ended. `memory` is its peak in bytes; `looks` are (time, CPU seconds until then)."""

    seconds: float
    cpu: float
    memory: int
    output: str
    looks: list[tuple[float, float]] = field(default_factory=list)

    def cpu_between(self, begun: float, ended: float) -> float:
        """What it took from one moment to another (seconds since 1970)."""
        return self._cpu_at(ended) - self._cpu_at(begun)

    def _cpu_at(self, moment: float) -> float:
        place = bisect_left(self.looks, (moment, 0.0))
        return self.looks[place][1] if place < len(self.looks) else self.cpu


def run(
    command: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    cores: Sequence[int] = (SENDER,),
) -> Ran:
    """The command to its end, on these cores. Raises CalledProcessError, after showing what it said."""
    return started(command, env=env, cwd=cwd, cores=cores).wait()


class started:  # noqa: N801  # it reads as what it does
    """A process under watch."""

    def __init__(
        self, command: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: Path | None = None,
        cores: Sequence[int] = (SENDER,),
    ) -> None:  # fmt: skip
        where = ",".join(map(str, cores))
        self._command = ["taskset", "-c", where, *command] if shutil.which("taskset") else list(command)
        self._begun = time.time()
        self._process = subprocess.Popen(
            self._command, env=env, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._looks: list[tuple[float, float]] = []
        self._memory = 0
        self._over = threading.Event()
        self._watching = threading.Thread(target=self._watch, daemon=True)
        self._watching.start()

    def _watch(self) -> None:
        """CPU from stat (the kernel's clock ticks), the peak from VmHWM: ru_maxrss would count the parent's, too."""
        place = Path(f"/proc/{self._process.pid}")
        while not self._over.wait(_LOOK):
            try:
                fields = (place / "stat").read_text().rpartition(")")[2].split()
                self._looks.append((time.time(), (int(fields[11]) + int(fields[12])) * _TICK))
                if len(self._looks) % 10 == 1:
                    status = (place / "status").read_text()
                    self._memory = max(self._memory, int(status.partition("VmHWM:")[2].split()[0]) * 1024)
            except (OSError, IndexError, ValueError):
                return  # it has ended

    def wait(self) -> Ran:
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        said: list[str] = []
        reading = threading.Thread(target=lambda: said.append(self._process.stderr.read()))  # type: ignore[union-attr]
        reading.start()
        output = self._process.stdout.read()
        reading.join()
        _, status, usage = os.wait4(self._process.pid, 0)
        seconds = time.time() - self._begun
        self._process.returncode = os.waitstatus_to_exitcode(status)
        self._over.set()
        self._watching.join()
        if self._process.returncode:
            sys.stderr.write(output + said[0])
            raise subprocess.CalledProcessError(self._process.returncode, self._command)
        return Ran(seconds, usage.ru_utime + usage.ru_stime, self._memory, output, self._looks)


@contextmanager
def smtp_sink() -> Iterator[int]:
    """Postfix's smtp-sink on the other core; yields its port."""
    port = _free_port()
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    with _server([tool("smtp-sink"), *user, f"127.0.0.1:{port}", "1000"], port):
        yield port


@contextmanager
def far_relay(delay: float) -> Iterator[int]:
    """A relay whose every answer takes so long, on the other core; yields its port."""
    port = _free_port()
    with _server([sys.executable, str(Path(__file__).with_name("relay.py")), str(port), str(delay)], port):
        yield port


@contextmanager
def _server(command: Sequence[str], port: int) -> Iterator[None]:
    process = subprocess.Popen(["taskset", "-c", str(SINK), *command] if shutil.which("taskset") else command)
    try:
        _until_it_answers(port)
        yield
    finally:
        process.terminate()
        process.wait()


def _until_it_answers(port: int) -> None:
    for _ in range(200):
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                connection.recv(100)
                return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"nothing answers on port {port}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def tool(name: str) -> str:
    """The path of a program; Debian keeps some where only root looks."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None:
        package = "postfix" if name.startswith("smtp-") else "nodejs npm"
        raise SystemExit(f"{name} is missing: on Debian, `apt-get install {package}` has it")
    return found
