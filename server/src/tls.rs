//! TLS by rustls: certificates and key of the operator, HTTP/2 or HTTP/1.1 by what the client offers. Must stay true: a key that
//! does not belong to its certificate is refused at the start, not at the first visitor.

use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// What connections are wrapped in.
#[derive(Clone)]
pub struct Tls {
    pub(crate) acceptor: TlsAcceptor,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Keys are nobody's business.
        f.write_str("Tls")
    }
}

impl Tls {
    /// From the certificates, the server's own first, and its private key, both as PEM.
    ///
    /// # Errors
    /// What is wrong with them, as a sentence.
    pub fn of_pem(certificates: &[u8], key: &[u8]) -> Result<Tls, String> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificates).collect();
        let chain = chain.map_err(|error| format!("the certificates cannot be read: {error}"))?;
        if chain.is_empty() {
            return Err("the file of certificates has none in it".to_owned());
        }
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|error| format!("the private key cannot be read: {error}"))?;
        let provider = Arc::new(ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_no_client_auth()
            .with_single_cert(chain, key);
        let mut config = config
            .map_err(|error| format!("certificate and private key cannot be used: {error}"))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Tls {
            acceptor: TlsAcceptor::from(Arc::new(config)),
        })
    }
}
