//! How the server treats its connections, through real sockets.

mod peer;
