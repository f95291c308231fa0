//! OrangeData asks for a client certificate: against a TLS server that does, in front of the emulator.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use emulator::System;
use fiscal::registers::RegisterName;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::WebPkiClientVerifier,
};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::{
    order::{order, rules_with},
    world::{Changes, World, job, name},
};

/// An authority made for this test.
fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate that the authority vouches for, and its key, PEM.
fn certificate(issuer: &CertifiedIssuer<'static, KeyPair>, names: &[&str]) -> (String, String) {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, issuer).unwrap();
    (certificate.pem(), key.serialize_pem())
}

/// A server that lets in only who shows a certificate of `clients`, and passes everything on.
async fn gate(to: SocketAddr, (certificate, key): (String, String), clients: &str) -> SocketAddr {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(clients.as_bytes()).unwrap()).unwrap();
    let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap();
    let config = ServerConfig::builder()
        .with_client_cert_verifier(verifier)
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()],
            PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // Who is not let in hears so from TLS itself.
                let Ok(mut inner) = acceptor.accept(stream).await else { return };
                let mut outer = TcpStream::connect(to).await.unwrap();
                tokio::io::copy_bidirectional(&mut inner, &mut outer).await.ok();
            });
        }
    });
    address
}

#[tokio::test]
async fn orangedata_is_reached_with_the_shops_certificate_and_with_no_other() {
    let changes = Changes {
        register: RegisterName::OrangeData,
        rules: Some(rules_with("seller_email = 'shop@acme.example'")),
        timeout: Some(Duration::from_secs(5)),
        ..Changes::default()
    };
    let world = World::with(changes).await;
    let (servers, clients, strangers) =
        (authority("servers"), authority("clients"), authority("strangers"));
    let server = certificate(&servers, &["localhost"]);
    let address = gate(world.emulator.address, server, &clients.pem()).await;
    let url = format!("https://localhost:{}/orangedata", address.port());
    let with = |client: Option<(String, String)>, trusted: &str| {
        let pem = client.map(|(certificate, key)| format!("{certificate}{key}"));
        world.behind_tls(&url, pem.as_deref(), trusted)
    };
    let books = || world.emulator.emulator.till(System::OrangeData).unwrap().summary();
    // No certificate; one that somebody else vouches for; a server that nobody vouches for.
    for fiscal in [
        with(None, &servers.pem()),
        with(Some(certificate(&strangers, &["acme"])), &servers.pem()),
        with(Some(certificate(&clients, &["acme"])), &strangers.pem()),
    ] {
        // One receipt a second: the last attempt has had its turn.
        world.pass(Duration::from_secs(2));
        let end = name(&job(order()).run(&*fiscal).await);
        assert!(end.starts_with("retry ") || end.starts_with("down "), "{end}");
        assert_eq!(books().receipts, 0);
    }
    let fiscal = with(Some(certificate(&clients, &["acme"])), &servers.pem());
    let mut job = job(order());
    assert_eq!(world.carry_with(&fiscal, &mut job).await.last().unwrap(), "done");
    assert_eq!((books().receipts, books().processed), (1, 1));
    assert_eq!(books().violations.violation_count, 0);
}
