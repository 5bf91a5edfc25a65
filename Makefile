# Everything a stranger needs: `make run`. Debian 12 or 13, a Rust toolchain, make, root or sudo.

export PATH := $(HOME)/.cargo/bin:$(PATH)
TARGET := $(or $(CARGO_TARGET_DIR),target)
PREFIX ?= /usr/local
# Where `install` puts things; packagers set DESTDIR.
BIN := $(DESTDIR)$(PREFIX)/bin
UNITS := $(DESTDIR)/etc/systemd/system
DOC := $(DESTDIR)$(PREFIX)/share/doc/tunelocker

.PHONY: run release static test lint bench soak fuzz install uninstall

# make run [MUSIC=DIR] [ARGS=...]: build, serve, say where to listen.
run: release
	@MUSIC='$(MUSIC)' ARGS='$(ARGS)' .ci/serve-here

release:
	@.ci/packages build
	@cargo build --release --locked --bins

# The same with a small FFmpeg of its own inside the decode worker, as in the image: it starts in a
# fraction of the time and with a tenth of the code. `make install` installs what was built last.
static:
	@.ci/packages build static
	@.ci/static-ffmpeg $(CURDIR)/.cache/ffmpeg
	@PKG_CONFIG_PATH=$(CURDIR)/.cache/ffmpeg/lib/pkgconfig \
	    cargo build --release --locked --bins --features ffmpeg-next/static

# All tests with everything they need, pinned, under .cache/.
test:
	@.ci/packages build test
	@tests/setup.sh
	@.ci/test

lint:
	@.ci/packages build
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings

# Figures of CPU and memory beside those of other servers.
bench: release
	@.ci/packages test
	@tests/setup.sh python
	@benches/run.sh

# All tests, those that repeat something as often as time allows.
soak:
	@.ci/packages build test
	@tests/setup.sh
	@SLOW_TESTS=20 NEXTEST_PROFILE=soak .ci/test

# Every reader of untrusted bytes under libFuzzer, SECONDS_EACH (60) seconds long.
fuzz:
	@.ci/packages build
	@.ci/fuzz

# Binaries, unit, user and folders. Enable with: systemctl enable --now tunelocker
install:
	@test -x $(TARGET)/release/tunelocker || $(MAKE) release
	install -D -m 755 $(TARGET)/release/tunelocker $(BIN)/tunelocker
	install -D -m 755 $(TARGET)/release/tunelocker-worker $(BIN)/tunelocker-worker
	install -D -m 644 -t $(DOC) README.md LICENSE
	install -d $(UNITS)
	sed 's|@PREFIX@|$(PREFIX)|g' systemd/tunelocker.service > $(UNITS)/tunelocker.service
	install -D -m 644 systemd/tunelocker.sysusers $(DESTDIR)/usr/lib/sysusers.d/tunelocker.conf
	install -D -m 644 systemd/tunelocker.tmpfiles $(DESTDIR)/usr/lib/tmpfiles.d/tunelocker.conf
	@if [ -z "$(DESTDIR)" ]; then \
	    if command -v systemd-sysusers >/dev/null; then systemd-sysusers tunelocker.conf; \
	    else getent passwd tunelocker >/dev/null || useradd --system --home-dir /var/lib/tunelocker --shell /usr/sbin/nologin tunelocker; fi; \
	    install -d -m 750 -o tunelocker -g tunelocker /var/lib/tunelocker; \
	    if [ -d /run/systemd/system ]; then systemctl daemon-reload; \
	        echo "Installed. Start it with: systemctl enable --now tunelocker"; \
	    else echo "Installed; systemd is not running here, so start it with: runuser -u tunelocker -- $(PREFIX)/bin/tunelocker serve"; fi; \
	fi

# Leaves /var/lib/tunelocker and the user that owns it.
uninstall:
	@if [ -z "$(DESTDIR)" ] && [ -d /run/systemd/system ]; then systemctl disable --now tunelocker || true; fi
	rm -f $(BIN)/tunelocker $(BIN)/tunelocker-worker $(UNITS)/tunelocker.service
	rm -rf $(DOC)
	rm -f $(DESTDIR)/usr/lib/sysusers.d/tunelocker.conf $(DESTDIR)/usr/lib/tmpfiles.d/tunelocker.conf
	@if [ -z "$(DESTDIR)" ] && [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
	@echo "Removed. The data stays in /var/lib/tunelocker."
