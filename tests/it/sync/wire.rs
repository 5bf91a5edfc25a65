//! A wire that counts: everything goes through to the server, and what went up is known.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

pub(super) struct Wire {
    pub(super) address: SocketAddr,
    up: Arc<AtomicU64>,
}

impl Wire {
    pub(super) async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let up = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&up);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let counted = Arc::clone(&counted);
                tokio::spawn(async move {
                    let Ok(server) = TcpStream::connect(server).await else { return };
                    let (mut from_client, mut to_client) = client.into_split();
                    let (mut from_server, mut to_server) = server.into_split();
                    let down = tokio::spawn(async move {
                        let _ = tokio::io::copy(&mut from_server, &mut to_client).await;
                    });
                    let mut buffer = vec![0; 64 * 1024];
                    while let Ok(read) = from_client.read(&mut buffer).await {
                        if read == 0 || to_server.write_all(&buffer[..read]).await.is_err() {
                            break;
                        }
                        counted.fetch_add(read as u64, Ordering::Relaxed);
                    }
                    // The other end learns that this one is gone, as without a wire between.
                    drop(to_server);
                    let _ = down.await;
                });
            }
        });
        Self { address, up }
    }

    /// Bytes that went up since the last time somebody asked.
    pub(super) fn up(&self) -> u64 {
        self.up.swap(0, Ordering::Relaxed)
    }
}
