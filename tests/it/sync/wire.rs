//! A wire that counts: everything goes through to the server, and what went up and down is known.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

pub(super) struct Wire {
    pub(super) address: SocketAddr,
    up: Arc<AtomicU64>,
    down: Arc<AtomicU64>,
}

/// Carries one direction to its end.
async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, counted: Arc<AtomicU64>) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read) = from.read(&mut buffer).await {
        if read == 0 || to.write_all(&buffer[..read]).await.is_err() {
            break;
        }
        counted.fetch_add(read as u64, Ordering::Relaxed);
    }
}

impl Wire {
    pub(super) async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (up, down) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let counted = (Arc::clone(&up), Arc::clone(&down));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (up, down) = counted.clone();
                tokio::spawn(async move {
                    let Ok(server) = TcpStream::connect(server).await else { return };
                    let (from_client, to_client) = client.into_split();
                    let (from_server, to_server) = server.into_split();
                    let down = tokio::spawn(carry(from_server, to_client, down));
                    // The other end learns that this one is gone, as without a wire between.
                    carry(from_client, to_server, up).await;
                    let _ = down.await;
                });
            }
        });
        Self { address, up, down }
    }

    /// Bytes that went up since the last time somebody asked.
    pub(super) fn up(&self) -> u64 {
        self.up.swap(0, Ordering::Relaxed)
    }

    /// The same both ways, with everything that HTTP says besides.
    pub(super) fn both(&self) -> u64 {
        self.up() + self.down.swap(0, Ordering::Relaxed)
    }
}
