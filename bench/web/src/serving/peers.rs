//! The peers that are written in Rust: this program is each of them when asked (`flin-bench-web peer NAME PORT …`). Here because a
//! peer must be a process of its own, weighed and timed as FLIN is. Must stay true: none without the feature `peers`, so that no
//! test builds them; each is what its documentation shows, and durable.

#[cfg(feature = "peers")]
mod axum;
#[cfg(feature = "peers")]
mod hyper;

/// Serves as one of the peers until the process is ended.
///
/// # Errors
/// An unknown name, and what the peer says.
#[cfg(feature = "peers")]
pub(crate) fn serve(words: &[String]) -> Result<(), super::Failure> {
    let [name, port, place] = words else {
        return Err("usage: flin-bench-web peer NAME PORT PLACE".into());
    };
    let port = port.parse()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    match name.as_str() {
        "hyper" => runtime.block_on(hyper::serve(port, std::fs::read(place)?)),
        "axum" => runtime.block_on(axum::serve(port, std::path::Path::new(place))),
        _ => Err(format!("there is no peer `{name}`").into()),
    }
}

/// Says that there are none.
///
/// # Errors
/// Always.
#[cfg(not(feature = "peers"))]
pub(crate) fn serve(_: &[String]) -> Result<(), super::Failure> {
    Err("this program was built without its peers (feature `peers`)".into())
}
