//! Address of a client, taken from X-Forwarded-For behind trusted proxies.
//!
//! No other header is read. A proxy passes on headers that it does not write: if `Forwarded` were read too, clients of
//! a proxy that writes only X-Forwarded-For could forge it.

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

/// Each proxy appends the address of its caller.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// Prefix that a provider assigns to one customer. The customer can use any address within it.
const CUSTOMER_PREFIX_LENGTH: u8 = 64;

/// Networks of trusted proxies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// The client's address: from right to left, the first that is not a trusted proxy's. The list is X-Forwarded-For
    /// followed by the peer. Entries that no trusted proxy wrote are ignored.
    #[must_use]
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let forwarded = headers.get_all(FORWARDED_FOR).iter().rev();
        let mut forwarded = forwarded.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
        let mut client = peer;
        while self.trusts(client) {
            let Some(before) = forwarded.next().and_then(address) else { break };
            client = before;
        }
        client
    }

    /// Whether `peer` sends X-Forwarded-For without being trusted.
    pub(crate) fn ignores(&self, peer: IpAddr, headers: &HeaderMap) -> bool {
        headers.contains_key(FORWARDED_FOR) && !self.trusts(peer)
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

impl FromStr for TrustedProxies {
    type Err = String;

    /// Networks and addresses, separated by commas; empty for none.
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

/// The connected peer's address; unspecified for a router that is called without a server.
pub(crate) fn peer(extensions: &Extensions) -> IpAddr {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>();
    peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |ConnectInfo(peer)| peer.ip().to_canonical())
}

/// The part of an address that a client cannot change at will.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(_) => IpNet::new(address, CUSTOMER_PREFIX_LENGTH).map_or(address, |customer| customer.network()),
    }
}

/// An address as proxies write it, with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let address = text.parse().or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()));
    address.ok().map(|address| address.to_canonical())
}
