//! The machine's own sound device, by a program that every system with sound has: `pw-play`
//! (`PipeWire`), `paplay` (`PulseAudio`) or `aplay` (ALSA), fed through its standard input. A program and not a
//! library: linking libasound would make every build and every box need it, and a sound driver
//! that hangs or crashes takes a child process with it and not the daemon.

use std::{
    io,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use tokio::{
    io::AsyncWriteExt as _,
    process::{Child, ChildStdin, Command},
};

use super::pcm::{Format, Sink};

/// Programs in the order that they are looked for.
const KNOWN: &[&str] = &["pw-play", "paplay", "aplay"];

/// How long the last buffer may sound before a program that does not end is ended.
const PATIENCE: Duration = Duration::from_secs(10);

/// A program that plays what it reads.
#[derive(Debug)]
pub(super) struct Program {
    path: PathBuf,
    running: Option<(Child, ChildStdin)>,
}

impl Program {
    /// The first known program on `PATH`, where the machine has a sound device.
    pub(super) fn found() -> Option<Self> {
        // Without a card of its own a machine may still reach a sound server over its socket.
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        let has_server = runtime.is_some_and(|folder| {
            folder.join("pipewire-0").exists() || folder.join("pulse/native").exists()
        });
        let has_card = Path::new("/dev/snd").read_dir().is_ok_and(|mut cards| {
            cards.any(|card| {
                card.is_ok_and(|card| card.file_name().to_string_lossy().starts_with("pcm"))
            })
        });
        let folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH")?).collect();
        let usable =
            KNOWN.iter().filter(|name| if **name == "aplay" { has_card } else { has_server });
        usable
            .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
            .find(|path| path.is_file())
            .map(|path| Self { path, running: None })
    }

    /// This one.
    pub(super) fn named(path: &Path) -> Self {
        Self { path: path.to_owned(), running: None }
    }

    /// Its name for people.
    pub(super) fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// How each program is told the format. What is not known is told as `aplay` is.
    fn arguments(&self, format: Format) -> Vec<String> {
        let (rate, channels) = (format.rate, format.channels);
        match self.name().as_str() {
            "pw-play" => vec![
                "--raw".to_owned(),
                "--format=s16".to_owned(),
                format!("--rate={rate}"),
                format!("--channels={channels}"),
                "-".to_owned(),
            ],
            "paplay" => vec![
                "--raw".to_owned(),
                "--format=s16le".to_owned(),
                format!("--rate={rate}"),
                format!("--channels={channels}"),
            ],
            _ => ["-q", "-t", "raw", "-f", "S16_LE", "-r"]
                .into_iter()
                .map(ToOwned::to_owned)
                .chain([rate.to_string(), "-c".to_owned(), channels.to_string(), "-".to_owned()])
                .collect(),
        }
    }
}

impl Sink for Program {
    async fn open(&mut self, format: Format) -> io::Result<()> {
        let mut child = Command::new(&self.path)
            .args(self.arguments(format))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let stdin = child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
        self.running = Some((child, stdin));
        Ok(())
    }

    async fn write(&mut self, pcm: &[u8]) -> io::Result<()> {
        match &mut self.running {
            Some((_, stdin)) => stdin.write_all(pcm).await,
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    async fn finish(&mut self) -> io::Result<()> {
        let Some((mut child, stdin)) = self.running.take() else { return Ok(()) };
        drop(stdin);
        match tokio::time::timeout(PATIENCE, child.wait()).await {
            Ok(status) if status.as_ref().is_ok_and(ExitStatus::success) => Ok(()),
            Ok(_) => Err(io::Error::other("the program that plays ended with an error")),
            Err(_) => {
                child.kill().await?;
                Err(io::Error::other("the program that plays does not end"))
            }
        }
    }

    async fn abort(&mut self) {
        if let Some((mut child, stdin)) = self.running.take() {
            drop(stdin);
            if let Err(error) = child.kill().await {
                tracing::debug!("cannot end the program that plays: {error}");
            }
        }
    }

    fn speed(&self) -> f64 {
        1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_program_is_told_the_format() {
        let format = Format { rate: 48_000, channels: 1 };
        let said = |path: &str| Program::named(Path::new(path)).arguments(format).join(" ");
        assert_eq!(said("/usr/bin/aplay"), "-q -t raw -f S16_LE -r 48000 -c 1 -");
        assert_eq!(said("/usr/bin/pw-play"), "--raw --format=s16 --rate=48000 --channels=1 -");
        assert_eq!(said("paplay"), "--raw --format=s16le --rate=48000 --channels=1");
    }
}
