"""CPU time and memory of a process and its descendants, from /proc."""
import os
import threading
import time

TICK = os.sysconf("SC_CLK_TCK")


def _stat(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rsplit(") ", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # After the name: state ppid ... utime(11) stime(12) cutime(13) cstime(14)
    return int(fields[1]), [int(value) / TICK for value in fields[11:15]]


def tree(root):
    """The process and all that descend from it."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and (stat := _stat(int(name))):
            parents.setdefault(stat[0], []).append(int(name))
    found, queue = [], [root]
    while queue:
        pid = queue.pop()
        found.append(pid)
        queue.extend(parents.get(pid, []))
    return found


def cpu(root):
    """CPU seconds of the tree, with children that ended and were waited for."""
    return sum(sum(stat[1]) for pid in tree(root) if (stat := _stat(pid)))


def own_cpu(pid):
    """CPU seconds of the process alone, by the clock that the kernel keeps of it: /proc counts in
    hundredths, which is longer than a page takes."""
    return time.clock_gettime((~pid << 3) | 2)


def pss(root):
    """Proportional set size of the tree in MB."""
    total = 0
    for pid in tree(root):
        try:
            with open(f"/proc/{pid}/smaps_rollup") as file:
                total += next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
        except (FileNotFoundError, ProcessLookupError, StopIteration):
            pass
    return total / 1024


class Peak:
    """The highest PSS while the block runs."""

    def __init__(self, root):
        self.root, self.value, self._stop = root, 0.0, threading.Event()

    def __enter__(self):
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _watch(self):
        while not self._stop.is_set():
            self.value = max(self.value, pss(self.root))
            time.sleep(0.1)
