//! The address of a client, also behind proxies that are trusted to tell it.
//!
//! Only X-Forwarded-For is read. A proxy passes on what it does not write itself: were Forwarded read too, clients of a
//! proxy that writes the one could invent the other.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    str::FromStr,
};

use axum::{
    extract::ConnectInfo,
    http::{Extensions, HeaderMap, HeaderName},
};
use ipnet::IpNet;

/// Each proxy adds the address that it was called from at the end.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// What a provider gives to one customer. The addresses within cost nothing.
const CUSTOMER_PREFIX: u8 = 64;

/// Networks whose machines tell the address of the client that called them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// The client's address: the rightmost that is not a trusted proxy's, of those that trusted proxies told and the
    /// peer's own. What no trusted proxy wrote counts for nothing.
    #[must_use]
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let told = headers.get_all(FORWARDED_FOR).iter().rev();
        let mut told = told.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
        let mut client = peer;
        while self.trusts(client) {
            let Some(before) = told.next().and_then(address) else { break };
            client = before;
        }
        client
    }

    /// Whether `peer` tells of a client and is not trusted to.
    pub(crate) fn ignores(&self, peer: IpAddr, headers: &HeaderMap) -> bool {
        headers.contains_key(FORWARDED_FOR) && !self.trusts(peer)
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

impl FromStr for TrustedProxies {
    type Err = String;

    /// Networks and addresses with commas between them; nothing for none.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let networks = text.split(',').map(str::trim).filter(|network| !network.is_empty());
        let networks = networks.map(|network| {
            let parsed = network.parse().or_else(|_| network.parse::<IpAddr>().map(IpNet::from));
            parsed.map_err(|_| format!("{network:?} is no network; want 10.0.0.0/8,2001:db8::/32 or the like"))
        });
        networks.collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for TrustedProxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let networks: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&networks.join(","))
    }
}

/// The address of who is connected. In a router that is called without a server it is unspecified.
pub(crate) fn peer(extensions: &Extensions) -> IpAddr {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>();
    peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |ConnectInfo(peer)| peer.ip().to_canonical())
}

/// The part of an address that one client cannot change at will.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(_) => IpNet::new(address, CUSTOMER_PREFIX).map_or(address, |customer| customer.network()),
    }
}

/// An address as proxies write it, some with the port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let address = text.parse().or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()));
    address.ok().map(|address| address.to_canonical())
}
