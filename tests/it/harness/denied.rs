//! Rights and system calls taken away from one thread, and from all threads and processes that it
//! starts: machines on which something fails, without a machine of that kind.

use std::{collections::BTreeMap, thread};

use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, apply_filter,
};

/// Runs `work` where no process can confine itself by seccomp any more.
pub(crate) fn without_seccomp<T: Send>(work: impl AsyncFnOnce() -> T + Send) -> T {
    failing([(libc::SYS_seccomp, Vec::new())].into(), libc::EPERM, work)
}

/// Runs `work` where every read at `offset` and behind fails, as on a dying disk.
pub(crate) fn with_bad_blocks_from<T: Send>(
    offset: u64,
    work: impl AsyncFnOnce() -> T + Send,
) -> T {
    let behind = || {
        let condition =
            SeccompCondition::new(3, SeccompCmpArgLen::Qword, SeccompCmpOp::Ge, offset).unwrap();
        vec![SeccompRule::new(vec![condition]).unwrap()]
    };
    let calls = [libc::SYS_pread64, libc::SYS_preadv, libc::SYS_preadv2];
    failing(calls.map(|call| (call, behind())).into(), libc::EIO, work)
}

/// Runs `work` on a file system that knows no links, no shared blocks, and no rename but the plain one,
/// as those of memory cards.
pub(crate) fn with_renames_alone<T: Send>(work: impl AsyncFnOnce() -> T + Send) -> T {
    let is = |argument, value| {
        SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value).unwrap()
    };
    let when = |condition| vec![SeccompRule::new(vec![condition]).unwrap()];
    // _IOW(0x94, 9, int)
    let clone = when(is(1, 0x4004_9409));
    let kinds = vec![1, 2].into_iter().flat_map(|flag| when(is(4, flag))).collect();
    let none =
        [(libc::SYS_link, Vec::new()), (libc::SYS_linkat, Vec::new()), (libc::SYS_ioctl, clone)];
    let filters = [
        filter(none.into(), libc::EPERM),
        filter([(libc::SYS_renameat2, kinds)].into(), libc::EINVAL),
    ];
    on_a_thread(work, move || filters.iter().for_each(|filter| apply_filter(filter).unwrap()))
}

/// Runs `work` without root's right to read whatever it likes.
pub(crate) fn without_privileges<T: Send>(work: impl AsyncFnOnce() -> T + Send) -> T {
    on_a_thread(work, || {
        let own = capabilities(None).unwrap();
        let all = CapabilitySet::DAC_OVERRIDE | CapabilitySet::DAC_READ_SEARCH;
        let less = CapabilitySets {
            effective: own.effective - all,
            permitted: own.permitted - all,
            inheritable: own.inheritable - all,
        };
        set_capabilities(None, less).unwrap();
    })
}

fn failing<T: Send>(
    calls: BTreeMap<i64, Vec<SeccompRule>>,
    error: i32,
    work: impl AsyncFnOnce() -> T + Send,
) -> T {
    let filter = filter(calls, error);
    on_a_thread(work, move || apply_filter(&filter).unwrap())
}

fn filter(calls: BTreeMap<i64, Vec<SeccompRule>>, error: i32) -> BpfProgram {
    let filter = SeccompFilter::new(
        calls,
        SeccompAction::Allow,
        SeccompAction::Errno(error as u32),
        std::env::consts::ARCH.try_into().unwrap(),
    );
    filter.unwrap().try_into().unwrap()
}

fn on_a_thread<T: Send>(work: impl AsyncFnOnce() -> T + Send, first: impl FnOnce() + Send) -> T {
    thread::scope(|scope| {
        let thread = scope.spawn(|| {
            first();
            let mut runtime = tokio::runtime::Builder::new_multi_thread();
            runtime.worker_threads(2).enable_all().build().unwrap().block_on(work())
        });
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
