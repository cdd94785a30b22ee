//! HTTPS in front of a plain server, with certificates that are good, for another name, or out of
//! date.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A certificate authority. A client trusts it if `SSL_CERT_FILE` names its certificate.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    file: PathBuf,
}

/// Which certificate a server presents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shows {
    /// One for its own name.
    Good,
    /// One for another host.
    WrongName,
    /// One for its own name that expired years ago.
    Expired,
}

/// A running server. Dropping it ends it.
pub struct Front {
    port: u16,
    _task: JoinSet<()>,
}

impl Authority {
    /// Creates an authority and writes its certificate to `folder`.
    pub fn new(folder: &Path) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("a certificate");
        let file = folder.join("authority.pem");
        fs::write(&file, issuer.pem()).expect("a file");
        Self { issuer, file }
    }

    /// The path of its certificate.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Starts a server that passes everything on to `port` for clients that accept its certificate.
    pub async fn front(&self, port: u16, shows: Shows) -> Front {
        let name = if shows == Shows::WrongName { "provider.example" } else { "127.0.0.1" };
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        if shows == Shows::Expired {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2021, 1, 1);
        }
        let key = KeyPair::generate().expect("a key");
        let certificate: CertificateDer<'static> = params.signed_by(&key, &self.issuer).expect("signed").into();
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key);
        let acceptor = TlsAcceptor::from(Arc::new(config.expect("a configuration")));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let own_port = listener.local_addr().expect("bound").port();
        let mut task = JoinSet::new();
        task.spawn(serve(listener, acceptor, port));
        Front { port: own_port, _task: task }
    }
}

impl Front {
    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, port: u16) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let acceptor = acceptor.clone();
        connections.spawn(async move {
            // A client that refuses the certificate hangs up. That is the purpose of this server.
            if let Ok(mut client) = acceptor.accept(client).await
                && let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await
            {
                let _ = copy_bidirectional(&mut client, &mut server).await;
            }
        });
    }
}
