//! A hand at the daemon's system calls: counts them, kills it at one of them, or makes one do
//! nothing, or fail. From outside, so that what is tried is the program as it is.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};

/// The calls that publishing, keeping and counting are made of.
pub(super) const CALLS: &[&str] = &[
    "fsync",
    "fdatasync",
    "renameat2",
    "renameat",
    "rename",
    "linkat",
    "unlinkat",
    "unlink",
    "rmdir",
    "mkdirat",
    "mkdir",
    "ftruncate",
    "fallocate",
    "fchmod",
    "openat2",
    "openat",
    "pwrite64",
    "write",
    "writev",
    "sendto",
];

/// Which of a thread's calls fail.
#[derive(Clone, Copy)]
pub(super) enum Which {
    /// This one alone, counted from 1.
    Only(usize),
    /// This one and all after it.
    From(usize),
}

/// `strace` on a running process.
pub(super) struct Trace {
    strace: Child,
    traced: u32,
    log: Option<PathBuf>,
}

impl Trace {
    /// Counts the calls of [`CALLS`] until [`Self::counted`].
    pub(super) fn count(pid: u32, log: PathBuf) -> Self {
        let set = format!("trace={}", CALLS.join(","));
        let out = log.to_str().unwrap().to_owned();
        Self::attach(pid, &["-e", &set, "-o", &out], Some(log))
    }

    /// Kills it by SIGKILL as one of its threads comes to its `n`th `call`, before that is done.
    pub(super) fn kill_at(pid: u32, call: &str, n: usize) -> Self {
        let set = format!("trace={call}");
        let inject = format!("inject={call}:signal=SIGKILL:when={n}");
        Self::attach(pid, &["-e", &set, "-e", &inject, "-o", "/dev/null"], None)
    }

    /// Makes calls on these paths (on all, if there are none) do nothing and look well.
    pub(super) fn pretend(pid: u32, calls: &str, paths: &[PathBuf]) -> Self {
        let set = format!("trace={calls}");
        let inject = format!("inject={calls}:retval=0");
        let mut arguments = vec!["-e", &set, "-e", &inject, "-o", "/dev/null"];
        for path in paths {
            arguments.extend(["-P", path.to_str().unwrap()]);
        }
        Self::attach(pid, &arguments, None)
    }

    /// Makes some of these calls of each thread fail with an error (`EIO`: as a disk that breaks does;
    /// `ENOSPC`: as one that is full); on these paths alone, if there are any.
    pub(super) fn fail(
        pid: u32,
        calls: &str,
        error: &str,
        which: Which,
        paths: &[PathBuf],
    ) -> Self {
        let set = format!("trace={calls}");
        let when = match which {
            Which::Only(n) => n.to_string(),
            Which::From(n) => format!("{n}+"),
        };
        let inject = format!("inject={calls}:error={error}:when={when}");
        let log = std::env::temp_dir().join(format!("failed-{pid}-{}", rand::random::<u64>()));
        let out = log.to_str().unwrap().to_owned();
        let mut arguments = vec!["-e", &set, "-e", &inject, "-o", &out];
        for path in paths {
            arguments.extend(["-P", path.to_str().unwrap()]);
        }
        Self::attach(pid, &arguments, Some(log))
    }

    /// Lets go, and tells how many calls were made to fail.
    pub(super) fn failed(mut self) -> usize {
        self.let_go();
        let log = self.log.take().unwrap();
        let failed = fs::read_to_string(&log).unwrap().matches("(INJECTED)").count();
        fs::remove_file(log).unwrap();
        failed
    }

    fn attach(pid: u32, arguments: &[&str], log: Option<PathBuf>) -> Self {
        let strace = Command::new("strace")
            .args(["-f", "-p", &pid.to_string()])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let mut strace =
            strace.unwrap_or_else(|error| panic!("strace is needed (.ci/packages test): {error}"));
        let mut said = Vec::new();
        let mut lines = BufReader::new(strace.stderr.take().unwrap()).lines();
        // All threads are held when it says so.
        let is_attached = lines.by_ref().any(|line| {
            said.push(line.unwrap_or_default());
            said.last().unwrap().contains(" attached")
        });
        assert!(is_attached, "strace may not trace the daemon; ptrace is needed: {said:?}");
        std::thread::spawn(move || lines.for_each(drop));
        Self { strace, traced: pid, log }
    }

    /// Lets go, and tells how often a thread made each call, the busiest one.
    pub(super) fn counted(mut self) -> BTreeMap<&'static str, usize> {
        self.let_go();
        let log = fs::read_to_string(self.log.take().unwrap()).unwrap();
        let mut by_thread: BTreeMap<(&str, &'static str), usize> = BTreeMap::new();
        for line in log.lines() {
            let Some((thread, rest)) = line.split_once(' ') else { continue };
            let name = rest.trim_start().split('(').next().unwrap_or_default();
            if let Some(call) = CALLS.iter().find(|call| **call == name) {
                *by_thread.entry((thread, call)).or_default() += 1;
            }
        }
        let mut most: BTreeMap<&'static str, usize> = BTreeMap::new();
        for ((_, call), times) in by_thread {
            let most = most.entry(call).or_default();
            *most = times.max(*most);
        }
        most
    }

    /// Whether the traced process lives. A dead one stays a zombie as long as it is traced.
    pub(super) fn lives(&self) -> bool {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.traced)).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
    }

    fn let_go(&mut self) {
        // It has to let go of the living by itself. Of the dead it does not always.
        if self.lives()
            && let Ok(None) = self.strace.try_wait()
        {
            let pid = Pid::from_raw(self.strace.id().cast_signed()).unwrap();
            let _ = kill_process(pid, Signal::INT);
        }
        while let Ok(None) = self.strace.try_wait() {
            if !self.lives() {
                let _ = self.strace.kill();
            }
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        self.let_go();
        if let Some(log) = self.log.take() {
            let _ = fs::remove_file(log);
        }
    }
}
