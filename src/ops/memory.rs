//! What the process gives back to the system. A household's server rests most of the day, and glibc
//! keeps what a scan once needed unless it is told otherwise.
#![expect(unsafe_code, reason = "the allocator's settings have no safe wrapper")]

use rustix::time::{ClockId, Timespec, clock_gettime};

/// Fewer threads' worth of memory kept apart: pieces that one thread freed serve the others.
const ARENAS: libc::c_int = 2;

/// Settles how memory is kept. To be called before threads are started.
pub fn settle() {
    // SAFETY: glibc's `mallopt` takes two integers, touches nothing but its own settings, and no
    // other thread runs yet.
    #[cfg(target_env = "gnu")]
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, ARENAS);
    }
}

/// Gives free memory back, and the pages of the program that nobody needed for a while: the kernel
/// maps a wide stretch around each page that is run once, most of it for nothing.
pub fn give_back() {
    // SAFETY: `malloc_trim` may be called at any time from any thread; it locks each arena itself.
    #[cfg(target_env = "gnu")]
    unsafe {
        libc::malloc_trim(0);
    }
    for (start, length) in code() {
        // SAFETY: the range is one whole mapping of this program's file that can be run and not be
        // written, so its pages are those of the file; whoever needs one gets it from there again.
        unsafe {
            libc::madvise(start as *mut libc::c_void, length, libc::MADV_DONTNEED);
        }
    }
}

/// Address and length of the mappings that hold this program's code.
fn code() -> Vec<(usize, usize)> {
    let (Ok(maps), Ok(program)) =
        (std::fs::read_to_string("/proc/self/maps"), std::fs::read_link("/proc/self/exe"))
    else {
        return Vec::new();
    };
    maps.lines().filter_map(|line| code_in(line, program.to_str()?)).collect()
}

/// The same of one line: `start-end r-xp offset device inode path`.
fn code_in(line: &str, program: &str) -> Option<(usize, usize)> {
    let mut words = line.splitn(6, ' ');
    let (range, rights) = (words.next()?, words.next()?);
    let path = words.nth(3)?.trim_start();
    let (start, end) = range.split_once('-')?;
    let start = usize::from_str_radix(start, 16).ok()?;
    let end = usize::from_str_radix(end, 16).ok()?;
    (rights == "r-xp" && path == program).then_some((start, end.checked_sub(start)?))
}

/// CPU time that this process has used so far, in milliseconds.
#[must_use]
pub fn cpu_ms() -> i64 {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(ClockId::ProcessCPUTime);
    tv_sec * 1000 + tv_nsec / 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_of_the_program_is_named() {
        let line = |rights: &str, path: &str| {
            code_in(&format!("7f00-8000 {rights} 00001000 fe:00 1234     {path}"), "/bin/it")
        };
        assert_eq!(line("r-xp", "/bin/it"), Some((0x7f00, 0x100)));
        assert_eq!(line("r--p", "/bin/it"), None);
        assert_eq!(line("rwxp", "/bin/it"), None);
        assert_eq!(line("r-xp", "/bin/it else"), None);
        assert_eq!(line("r-xp", "/lib/other"), None);
        assert_eq!(code_in("7f00-8000 r-xp 0 0 0", "/bin/it"), None);
    }

    #[test]
    fn the_process_lives_on_without_it() {
        assert!(!code().is_empty());
        give_back();
        let busy = cpu_ms();
        assert_eq!((0..10_000_u64).sum::<u64>(), 49_995_000);
        assert!(busy <= cpu_ms());
    }
}
