//! Takes every right away from the running process that understanding bytes does not need:
//! resource limits, Landlock, seccomp. A worker calls it before it reads its first message; the
//! rights never come back. Knows nothing of media.

use std::collections::BTreeMap;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, Ruleset, RulesetAttr as _, RulesetStatus, Scope,
};
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, Signal, getpid, set_dumpable_behavior,
    set_parent_process_death_signal, setrlimit,
};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, apply_filter,
};
use serde::{Deserialize, Serialize};

/// Address space of a worker. The largest picture it may decode takes 160 MiB of it.
const ADDRESS_SPACE: u64 = 512 << 20;

/// How strict the sandbox of decoding is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Sandbox {
    /// Refuse to decode without seccomp.
    #[default]
    Required,
    /// Decode with what there is.
    Degraded,
}

/// What the confined process is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Tags and pictures: one thread; descriptors keep coming by message.
    Tags,
    /// libav: threads, still no new process.
    Decode,
}

/// The walls that stand after [`confine`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Layers {
    /// Only allow-listed system calls.
    pub seccomp: bool,
    /// No file system and no TCP by the kernel's own rules.
    pub landlock: bool,
    /// Address space, file size, descriptors, processes.
    pub limits: bool,
}

impl std::fmt::Display for Layers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = [
            (self.seccomp, "seccomp"),
            (self.landlock, "landlock"),
            (self.limits, "resource limits"),
        ];
        let standing: Vec<_> = names.iter().filter(|(on, _)| *on).map(|(_, name)| *name).collect();
        if standing.is_empty() { f.write_str("none") } else { f.write_str(&standing.join(", ")) }
    }
}

/// Confines this process for good and says which walls stand. To be called with one thread
/// running, for the filter covers the calling thread and those it starts. The process also dies
/// with the *thread* that started it: parents start workers from threads that live as long.
#[must_use]
pub fn confine(profile: Profile) -> Layers {
    // A parent that is gone already would never send the signal; the closed socket ends us then.
    let _ = set_parent_process_death_signal(Some(Signal::KILL));
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    Layers { limits: limit(profile), landlock: landlock(), seccomp: seccomp(profile) }
}

fn limit(profile: Profile) -> bool {
    let mut limits = vec![
        (Resource::As, ADDRESS_SPACE),
        (Resource::Fsize, 0),
        (Resource::Core, 0),
        // A batch of files arrives at once; a decoder has one.
        (Resource::Nofile, if profile == Profile::Tags { 128 } else { 16 }),
    ];
    if profile == Profile::Tags {
        limits.push((Resource::Nproc, 0));
    }
    limits.into_iter().all(|(resource, most)| {
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) }).is_ok()
    })
}

/// Nothing of the file system, no TCP, no abstract sockets, no signals to others. Best effort:
/// what this kernel does not know is left to seccomp.
fn landlock() -> bool {
    let restricted = Ruleset::default()
        .handle_access(AccessFs::from_all(ABI::V5))
        .and_then(|rules| rules.handle_access(AccessNet::from_all(ABI::V5)))
        .and_then(|rules| rules.scope(Scope::from_all(ABI::V6)))
        .and_then(Ruleset::create)
        .and_then(landlock::RulesetCreated::restrict_self);
    restricted.is_ok_and(|status| status.ruleset != RulesetStatus::NotEnforced)
}

fn seccomp(profile: Profile) -> bool {
    // glibc starts threads by clone3 and takes the older clone, whose flags a filter can see,
    // only for ENOSYS. The refusal of the inner filter is the one that counts.
    let clone3 = filter(
        [(libc::SYS_clone3, Vec::new())].into(),
        SeccompAction::Allow,
        SeccompAction::Errno(libc::ENOSYS as u32),
    );
    let allowed =
        filter(allowed(profile), SeccompAction::Errno(libc::EPERM as u32), SeccompAction::Allow);
    let (Some(clone3), Some(allowed)) = (clone3, allowed) else { return false };
    apply_filter(&clone3).is_ok() && apply_filter(&allowed).is_ok()
}

fn filter(
    rules: BTreeMap<i64, Vec<SeccompRule>>,
    otherwise: SeccompAction,
    matched: SeccompAction,
) -> Option<BpfProgram> {
    let architecture = std::env::consts::ARCH.try_into().ok()?;
    SeccompFilter::new(rules, otherwise, matched, architecture).ok()?.try_into().ok()
}

/// The system calls that stay, with what their arguments must be.
fn allowed(profile: Profile) -> BTreeMap<i64, Vec<SeccompRule>> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        ALWAYS.iter().map(|call| (*call, Vec::new())).collect();
    // Memory, but none that can be executed.
    let not_executable = only(2, SeccompCmpOp::MaskedEq(libc::PROT_EXEC as u64), 0);
    rules.insert(libc::SYS_mmap, vec![not_executable.clone()]);
    rules.insert(libc::SYS_mprotect, vec![not_executable]);
    // Questions about descriptors, no owners, locks or leases.
    let asked = [libc::F_GETFD, libc::F_GETFL, libc::F_DUPFD_CLOEXEC];
    rules.insert(
        libc::SYS_fcntl,
        asked.iter().map(|what| only(1, SeccompCmpOp::Eq, *what as u64)).collect(),
    );
    // A process may end itself by a signal (abort), and nobody else.
    let myself = getpid().as_raw_nonzero().get() as u64;
    rules.insert(libc::SYS_tgkill, vec![only(0, SeccompCmpOp::Eq, myself)]);
    if profile == Profile::Decode {
        let thread = libc::CLONE_THREAD as u64;
        rules.insert(libc::SYS_clone, vec![only(0, SeccompCmpOp::MaskedEq(thread), thread)]);
    }
    // Passed on to the filter beneath, which answers ENOSYS.
    rules.insert(libc::SYS_clone3, Vec::new());
    rules
}

fn only(argument: u8, operator: SeccompCmpOp, value: u64) -> SeccompRule {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)
        .and_then(|condition| SeccompRule::new(vec![condition]))
        .expect("argument numbers are below six")
}

/// Reading and answering over descriptors that are open already, memory, time, ending.
const ALWAYS: &[i64] = &[
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_pread64,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_lseek,
    libc::SYS_fstat,
    libc::SYS_close,
    libc::SYS_recvmsg,
    libc::SYS_recvfrom,
    libc::SYS_sendmsg,
    libc::SYS_sendto,
    libc::SYS_ppoll,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_brk,
    libc::SYS_futex,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_sigaltstack,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_restart_syscall,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_gettimeofday,
    libc::SYS_getrandom,
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_gettid,
    libc::SYS_exit,
    libc::SYS_exit_group,
];
