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
/// maps a wide stretch around each page that is used once, most of it for nothing.
pub fn give_back() {
    // SAFETY: `malloc_trim` may be called at any time from any thread; it locks each arena itself.
    #[cfg(target_env = "gnu")]
    unsafe {
        libc::malloc_trim(0);
    }
    let (Ok(maps), Ok(program)) =
        (std::fs::read_to_string("/proc/self/smaps"), std::fs::read_link("/proc/self/exe"))
    else {
        return;
    };
    for (start, length) in program.to_str().map(|program| clean(&maps, program)).unwrap_or_default()
    {
        // SAFETY: the range is one whole mapping of this program's file that cannot be written and
        // holds nothing but pages of that file; whoever needs one gets it from there again.
        unsafe {
            libc::madvise(start as *mut libc::c_void, length, libc::MADV_DONTNEED);
        }
    }
}

/// Address and length of the mappings of `program` that hold the file's own pages and no others:
/// its code and constants, not what was relocated.
fn clean(maps: &str, program: &str) -> Vec<(usize, usize)> {
    let mut clean = Vec::new();
    let mut current = None;
    for line in maps.lines() {
        if let Some(mapping) = read_only(line) {
            let (range, path) = mapping;
            current = range.filter(|_| path == program);
        } else if line.strip_prefix("Anonymous:").is_some_and(|size| size.trim() == "0 kB") {
            clean.extend(current.take());
        }
    }
    clean
}

/// What a mapping's first line says, `start-end rights offset device inode path`: its range if it
/// cannot be written, and its path. `None` for the lines about it.
fn read_only(line: &str) -> Option<(Option<(usize, usize)>, &str)> {
    let mut words = line.splitn(6, ' ');
    let (range, rights) = (words.next()?, words.next()?);
    let (start, end) = range.split_once('-')?;
    let start = usize::from_str_radix(start, 16).ok()?;
    let end = usize::from_str_radix(end, 16).ok()?;
    let length = end.checked_sub(start)?;
    let path = words.nth(3).unwrap_or_default().trim_start();
    Some((matches!(rights, "r-xp" | "r--p").then_some((start, length)), path))
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
    fn only_clean_pages_of_the_program_are_named() {
        let maps = "\
1000-3000 r--p 00000000 fe:00 12    /bin/it
Rss:                   8 kB
Anonymous:             0 kB
3000-5000 r-xp 00002000 fe:00 12    /bin/it
Anonymous:             0 kB
5000-6000 r--p 00004000 fe:00 12    /bin/it
Anonymous:             4 kB
6000-7000 rw-p 00005000 fe:00 12    /bin/it
Anonymous:             0 kB
7000-8000 rw-p 00000000 00:00 0
Anonymous:             0 kB
8000-9000 r-xp 00000000 fe:00 13    /lib/other
Anonymous:             0 kB
9000-a000 r-xp 00000000 fe:00 14    /bin/it (deleted)
Anonymous:             0 kB
VmFlags: rd ex mr mw me
";
        assert_eq!(clean(maps, "/bin/it"), [(0x1000, 0x2000), (0x3000, 0x2000)]);
        assert_eq!(clean("nothing that is known\nAnonymous: 0 kB", "/bin/it"), []);
    }

    #[test]
    fn the_process_lives_on_without_it() {
        give_back();
        let busy = cpu_ms();
        assert_eq!((0..10_000_u64).sum::<u64>(), 49_995_000);
        assert!(busy <= cpu_ms());
    }
}
