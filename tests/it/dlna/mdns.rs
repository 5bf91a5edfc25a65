//! mDNS on the loopback interface.

use std::time::Duration;

use mdns_sd::{IfKind, ServiceDaemon, ServiceEvent};
use tokio::time::timeout;

use crate::harness::TestApp;

#[tokio::test]
async fn apps_and_browsers_find_the_public_listener() {
    let app = TestApp::spawn().await;
    let looking = ServiceDaemon::new().unwrap();
    looking.disable_interface(IfKind::All).unwrap();
    looking.enable_interface(IfKind::LoopbackV4).unwrap();
    for kind in ["_subsonic._tcp.local.", "_http._tcp.local."] {
        let events = looking.browse(kind).unwrap();
        let found = async {
            loop {
                // Others may be announced on `lo` too: the port tells ours.
                if let Ok(ServiceEvent::ServiceResolved(service)) = events.recv_async().await
                    && service.get_port() == app.http.port()
                {
                    return service;
                }
            }
        };
        let service = timeout(Duration::from_secs(40), found).await.expect(kind);
        assert_eq!(service.get_property_val_str("path"), Some("/"), "{kind}");
        assert!(service.get_addresses_v4().iter().all(std::net::Ipv4Addr::is_loopback));
    }
    looking.shutdown().unwrap();
}
