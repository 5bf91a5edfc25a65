//! The decode worker: libav behind a sandbox, one descriptor in, one pipe out. The only code that
//! names `ffmpeg_next`.

fn main() {}
