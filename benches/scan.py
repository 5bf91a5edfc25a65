#!/usr/bin/env python3
"""CPU seconds of all processes for a first scan and for a scan of nothing changed, the peak of
memory meanwhile, and what the server weighs a minute after a start and a minute after a scan.

    benches/scan.py [--binary target/release/tunelocker] [--tracks 10000] [--library DIR] [--copies 1]
                   [--rounds 3] [--rest 60]

The library is made by tests/tools/make_corpus.py --unique-audio under .cache/ unless one is given.
--rest 0 leaves out the weight at rest. --copies 10 serves the library ten times, each time as one
of its own made of hard links: 100,000 tracks at no cost of disk.
A start without any library is measured too and taken off, so that the figures are those of the
scans. The database is written at synchronous=FULL, as always.
The weight is taken soon, after --rest seconds, when files may still be hashed in the background;
and when that is over (at most ten minutes later) and the server has rested for as long again: then
each 2 s for over two minutes, so that every clock has ticked, as the median and the most.
"""
import argparse, ctypes, json, os, resource, shutil, signal, sqlite3, statistics, subprocess, sys, tempfile, time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def corpus(tracks):
    folder = os.path.join(ROOT, ".cache/bench/corpus-%d" % tracks)
    if not os.path.exists(os.path.join(folder, "summary.json")):
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(os.path.dirname(folder), exist_ok=True)
        python = os.path.join(ROOT, ".cache/venv/bin/python")
        subprocess.run([python, os.path.join(ROOT, "tests/tools/make_corpus.py"), folder, "--tracks", str(tracks),
                        "--unique-audio", "--cache", os.path.join(ROOT, ".cache/bench/payloads")], check=True)
    return os.path.join(folder, "library")


def copies(library, count):
    """So many libraries of the same files, beside the first one."""
    roots = [library]
    for number in range(2, count + 1):
        root = "%s-%d" % (library.rstrip("/"), number)
        if not os.path.exists(root):
            shutil.copytree(library, root + ".part", copy_function=os.link)
            os.rename(root + ".part", root)
        roots.append(root)
    return roots


def scanned_since(database, began):
    """Whether every library was scanned after that time."""
    try:
        with sqlite3.connect("file:%s?mode=ro" % database, uri=True) as db:
            rows = db.execute("select coalesce(scanned_at, 0) from library where is_active = 1").fetchall()
            return bool(rows) and min(rows)[0] >= began
    except sqlite3.OperationalError:
        return False


def serve(binary, data, libraries, peak, rest=None):
    """Starts, waits for the end of the scan, stops. Gives user and system seconds and wall seconds.
    With `rest` it also waits that long before it stops, and gives as a fourth the memory then, and
    median and most of what it is when nothing goes on in the background any more."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began, clock = int(time.time() * 1000), time.time()
    command = [binary, "serve", "--no-lan", "--listen", "127.0.0.1:0", "--data", data]
    for number, library in enumerate(libraries, 1):
        command += ["--library", "Music %d=%s" % (number, library)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    server.stdout.readline()
    while libraries and not scanned_since(os.path.join(data, "tunelocker.db"), began):
        peak[0] = max(peak[0], memory(server.pid))
        if server.poll() is not None:
            sys.exit("the server ended with %d" % server.returncode)
        time.sleep(0.02)
    wall, weight = time.time() - clock, (0.0, 0.0)
    if rest:
        time.sleep(rest)
        working = memory(server.pid)
        until_quiet(server.pid)
        time.sleep(rest)
        moments = []
        for _ in range(65):
            moments.append(memory(server.pid))
            time.sleep(2)
        weight = working, statistics.median(moments), max(moments)
    server.send_signal(signal.SIGTERM)
    server.wait()
    # Workers that outlive the server come to us, the reaper of its descendants.
    try:
        while True:
            os.waitpid(-1, 0)
    except ChildProcessError:
        pass
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime, wall, weight


def until_quiet(pid):
    """Waits until the process and its children use less than 1 % of a core, ten minutes at most."""
    end, before = time.time() + 600, ticks(pid)
    while time.time() < end:
        time.sleep(10)
        now = ticks(pid)
        if now - before < 10 * os.sysconf("SC_CLK_TCK") / 100:
            return
        before = now
    print("it is still at work after ten minutes", file=sys.stderr)


def ticks(pid):
    """CPU time of a process and all its children, those too that ended."""
    total = 0
    for one in [pid] + [int(child) for task in os.listdir("/proc/%d/task" % pid)
                        for child in open("/proc/%d/task/%s/children" % (pid, task)).read().split()]:
        try:
            total += sum(map(int, open("/proc/%d/stat" % one).read().rsplit(")", 1)[1].split()[11:15]))
        except OSError:
            pass
    return total


def memory(pid):
    """PSS of a process and its children, MB; what ends meanwhile is left out."""
    total, pids = 0, [pid]
    try:
        for task in os.listdir("/proc/%d/task" % pid):
            pids += map(int, open("/proc/%d/task/%s/children" % (pid, task)).read().split())
        for one in pids:
            for line in open("/proc/%d/smaps_rollup" % one):
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
    except (OSError, ValueError):
        pass
    return total / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    target = os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target"))
    parser.add_argument("--binary", default=os.path.join(target, "release/tunelocker"))
    parser.add_argument("--tracks", type=int, default=10000)
    parser.add_argument("--library")
    parser.add_argument("--copies", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rest", type=float, default=60.0)
    options = parser.parse_args()
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)     # PR_SET_CHILD_SUBREAPER
    libraries = copies(options.library or corpus(options.tracks), options.copies)
    best, peak = {}, [0.0]
    for _ in range(options.rounds):
        with tempfile.TemporaryDirectory(prefix="tunelocker-bench-") as data:
            serve(options.binary, data, [], peak)
            figures = {"start": serve(options.binary, data, [], peak)}
            figures["first scan"] = serve(options.binary, data, libraries, peak)
            figures["nothing changed"] = serve(options.binary, data, libraries, [0.0])
        for name, figure in figures.items():
            if name not in best or sum(figure[:2]) < sum(best[name][:2]):
                best[name] = figure
    start = sum(best["start"][:2])
    for name, (user, system, wall, _) in best.items():
        less = 0 if name == "start" else start
        print(json.dumps({"bench": name, "cpu_s": round(user + system - less, 3), "user_s": round(user, 3),
                          "system_s": round(system, 3), "wall_s": round(wall, 2)}))
    print(json.dumps({"bench": "peak of first scan", "pss_mb": round(peak[0], 1)}))
    if options.rest:
        with tempfile.TemporaryDirectory(prefix="tunelocker-bench-") as data:
            for name in ("scan", "start"):
                soon, weight, most = serve(options.binary, data, libraries, [0.0], options.rest)[3]
                print(json.dumps({"bench": "at rest after a %s" % name, "pss_mb": round(weight, 1),
                                  "most_pss_mb": round(most, 1), "soon_pss_mb": round(soon, 1)}))


if __name__ == "__main__":
    main()
