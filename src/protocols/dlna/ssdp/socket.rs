//! One socket a link, bound to the link, so that what arrives came from there and what is sent
//! goes there. Port 1900 is shared with other UPnP programs of this machine.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
};

use socket2::{Domain, InterfaceIndexOrAddress, Protocol, Socket, Type};
use tokio::net::UdpSocket;

use super::interfaces::Link;

/// Where announcements go and searches come from.
pub(super) const GROUP: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(239, 255, 255, 250), 1900);

/// Opens the socket of a link and joins the group there.
pub(super) fn open(link: &Link) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    socket.set_reuse_address(true)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, GROUP.port())).into())?;
    // Before this the socket would hear other links; a kernel that refuses leaves the check of
    // the source's network to do the work.
    if let Err(error) = socket.bind_device_by_index_v4(Some(link.index)) {
        tracing::debug!(link = link.name, %error, "cannot bind to the link");
    }
    socket.join_multicast_v4_n(GROUP.ip(), &InterfaceIndexOrAddress::Index(link.index.get()))?;
    socket.set_multicast_all_v4(false)?;
    if let Some((address, _)) = link.addresses.first() {
        socket.set_multicast_if_v4(address)?;
    }
    socket.set_multicast_ttl_v4(2)?;
    // Programs on this machine look for us too.
    socket.set_multicast_loop_v4(true)?;
    UdpSocket::from_std(socket.into())
}
