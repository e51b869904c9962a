//! What systemd gives and wants: a socket that it listens on already, and word when the server is ready or stops. Must stay
//! true: without systemd nothing of this happens; what cannot be told is logged and stops nothing.

use std::net::TcpListener;
use std::os::unix::net::UnixDatagram;

/// The socket that was handed over, if one was.
pub(crate) fn listener() -> Result<Option<TcpListener>, String> {
    let mut given = listenfd::ListenFd::from_env();
    match given.len() {
        0 => Ok(None),
        1 => given.take_tcp_listener(0).map_err(|error| {
            format!("what was handed over to listen on is no TCP socket: {error}")
        }),
        count => Err(format!(
            "{count} sockets were handed over to listen on; expected one"
        )),
    }
}

/// Tells the supervisor, if there is one: `READY=1`, `STOPPING=1`.
pub(crate) fn tell(state: &str) {
    let Some(path) = std::env::var_os("NOTIFY_SOCKET") else {
        return;
    };
    if let Err(error) = send(&path, state) {
        tracing::warn!(%error, state, "the supervisor could not be told");
    }
}

fn send(path: &std::ffi::OsStr, state: &str) -> std::io::Result<()> {
    use std::os::unix::ffi::OsStrExt;
    let socket = UnixDatagram::unbound()?;
    match path.as_bytes().strip_prefix(b"@") {
        #[cfg(target_os = "linux")]
        Some(name) => {
            use std::os::linux::net::SocketAddrExt;
            let address = std::os::unix::net::SocketAddr::from_abstract_name(name)?;
            socket.send_to_addr(state.as_bytes(), &address)?;
        }
        #[cfg(not(target_os = "linux"))]
        Some(_) => return Err(std::io::ErrorKind::Unsupported.into()),
        None => {
            socket.send_to(state.as_bytes(), path)?;
        }
    }
    Ok(())
}
