//! Tries to break out of the sandbox, each way once, and says what was refused. Every attempt
//! that can be undone is first made before the walls stand: one that would fail anyway proves
//! nothing.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::process::CommandExt as _,
    process::{Command, ExitCode, Stdio},
};

use rustix::{
    fs::{CWD, MemfdFlags, Mode, OFlags, ResolveFlags},
    net::{AddressFamily, SocketType},
    process::{Resource, Rlimit},
};

use super::sandbox::{Profile, confine};

/// One way out, and whether it works before the walls stand.
struct Escape {
    name: &'static str,
    works_before: bool,
    attempt: fn() -> io::Result<()>,
}

/// Confines this process as `profile` and tries every way out. Fails if one of them works.
#[must_use]
pub fn run(profile: Profile) -> ExitCode {
    // The confined process may not write to a file, and standard output may be one.
    let inside = std::env::args_os().any(|argument| argument == INSIDE);
    if inside { try_all(profile) } else { ExitCode::from(watch().unwrap_or(1)) }
}

const INSIDE: &str = "--inside";

/// Runs this command line again with a pipe for its standard output.
fn watch() -> io::Result<u8> {
    let mut command = Command::new(std::env::current_exe()?);
    let ran = command.args(std::env::args_os().skip(1)).arg(INSIDE).output()?;
    io::stdout().write_all(&ran.stdout)?;
    io::stderr().write_all(&ran.stderr)?;
    Ok(u8::from(!ran.status.success()))
}

fn try_all(profile: Profile) -> ExitCode {
    let mut held = true;
    for escape in ESCAPES.iter().filter(|escape| escape.works_before) {
        if let Err(error) = (escape.attempt)() {
            println!("pointless {}: fails without a sandbox too: {error}", escape.name);
            held = false;
        }
    }
    let layers = confine(profile);
    println!("layers: {layers}");
    held &= layers.seccomp;
    for escape in ESCAPES {
        if profile == Profile::Decode && escape.name == "thread" {
            continue;
        }
        match (escape.attempt)() {
            Err(error) if is_refusal(&error) => println!("refused {}", escape.name),
            Err(error) => {
                println!("ESCAPED {}: went as far as: {error}", escape.name);
                held = false;
            }
            Ok(()) => {
                println!("ESCAPED {}", escape.name);
                held = false;
            }
        }
    }
    if held { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Refused as such, not failed for another reason. A process limit says "try again".
fn is_refusal(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::WouldBlock)
}

const ESCAPES: &[Escape] = &[
    Escape {
        name: "open",
        works_before: true,
        attempt: || fs::File::open("/etc/passwd").map(drop),
    },
    Escape {
        name: "openat2",
        works_before: true,
        attempt: || {
            let flags = OFlags::RDONLY | OFlags::CLOEXEC;
            let opened = rustix::fs::openat2(
                CWD,
                "/etc/passwd",
                flags,
                Mode::empty(),
                ResolveFlags::empty(),
            );
            Ok(opened.map(drop)?)
        },
    },
    Escape {
        name: "read of process 1",
        works_before: false,
        attempt: || fs::read("/proc/1/environ").map(drop),
    },
    Escape { name: "list", works_before: true, attempt: || fs::read_dir("/").map(drop) },
    Escape { name: "stat", works_before: true, attempt: || fs::symlink_metadata("/").map(drop) },
    Escape {
        name: "write",
        works_before: false,
        attempt: || fs::File::create_new("/tmp/tunelocker-escaped").map(drop),
    },
    Escape {
        name: "remove",
        works_before: false,
        attempt: || fs::remove_file("/tmp/tunelocker-not-there"),
    },
    Escape {
        name: "anonymous file",
        works_before: true,
        attempt: || Ok(rustix::fs::memfd_create("escape", MemfdFlags::CLOEXEC).map(drop)?),
    },
    Escape {
        name: "TCP",
        works_before: true,
        attempt: || {
            Ok(rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).map(drop)?)
        },
    },
    Escape {
        name: "UDP",
        works_before: true,
        attempt: || Ok(rustix::net::socket(AddressFamily::INET, SocketType::DGRAM, None).map(drop)?),
    },
    Escape {
        name: "unix socket",
        works_before: true,
        attempt: || {
            Ok(rustix::net::socket(AddressFamily::UNIX, SocketType::STREAM, None).map(drop)?)
        },
    },
    Escape {
        name: "netlink",
        works_before: true,
        attempt: || {
            Ok(rustix::net::socket(AddressFamily::NETLINK, SocketType::RAW, None).map(drop)?)
        },
    },
    Escape {
        name: "new process",
        works_before: true,
        attempt: || Command::new("/bin/true").stdin(Stdio::inherit()).status().map(drop),
    },
    Escape {
        name: "execve",
        works_before: false,
        attempt: || Err(Command::new("/bin/true").exec()),
    },
    Escape {
        name: "thread",
        works_before: true,
        attempt: || std::thread::Builder::new().spawn(|| ()).map(drop),
    },
    Escape {
        name: "signal to the parent",
        works_before: true,
        attempt: || {
            let parent = rustix::process::getppid().ok_or(io::ErrorKind::NotFound)?;
            Ok(rustix::process::test_kill_process(parent)?)
        },
    },
    Escape {
        name: "higher limits",
        works_before: false,
        attempt: || {
            let most = Rlimit { current: Some(1 << 30), maximum: Some(1 << 30) };
            Ok(rustix::process::setrlimit(Resource::Fsize, most)?)
        },
    },
    Escape {
        name: "prctl",
        works_before: true,
        attempt: || Ok(rustix::process::set_parent_process_death_signal(None)?),
    },
    Escape { name: "pipe", works_before: true, attempt: || Ok(rustix::pipe::pipe().map(drop)?) },
];
