//! Real sockets: what is "not sent" and what is "unknown" is believed only where it was seen.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use flate2::write::GzEncoder;
use flate2::{Compress, Compression, FlushCompress};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use super::super::file::FileBody;
use super::*;

/// What a server does with one connection.
#[derive(Clone)]
enum Does {
    /// Closes before it reads.
    ClosesAtOnce,
    /// Reads the request, then closes.
    ReadsAndCloses,
    /// Reads the request, then does nothing.
    Stalls,
    /// Reads the request and answers with these bytes, then closes.
    Answers(Vec<u8>),
    /// Answers a byte at a time.
    Dribbles(Vec<u8>),
    /// Answers, and keeps the connection for more requests.
    Keeps(Vec<u8>),
    /// Reads all of the request and answers with the SHA-256 of its body.
    Hashes,
}

struct Server {
    url: Url,
    seen: Arc<AtomicUsize>,
    heads: Arc<std::sync::Mutex<Vec<String>>>,
}

impl Server {
    fn seen(&self) -> usize {
        self.seen.load(Ordering::SeqCst)
    }
}

async fn server(does: Does) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/v1/x?secret=canary", listener.local_addr().unwrap())).unwrap();
    let (seen, heads) = (Arc::new(AtomicUsize::new(0)), Arc::new(std::sync::Mutex::new(Vec::new())));
    let (count, list) = (Arc::clone(&seen), Arc::clone(&heads));
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(serve(socket, does.clone(), Arc::clone(&count), Arc::clone(&list)));
        }
    });
    Server { url, seen, heads }
}

async fn serve(
    mut socket: TcpStream,
    does: Does,
    seen: Arc<AtomicUsize>,
    heads: Arc<std::sync::Mutex<Vec<String>>>,
) {
    if matches!(does, Does::ClosesAtOnce) {
        return;
    }
    loop {
        let mut request = Vec::new();
        let mut buffer = [0; 4096];
        while !request.windows(4).any(|end| end == b"\r\n\r\n") {
            match socket.read(&mut buffer).await {
                Ok(0) | Err(_) => return,
                Ok(n) => request.extend_from_slice(&buffer[..n]),
            }
        }
        seen.fetch_add(1, Ordering::SeqCst);
        heads.lock().unwrap().push(String::from_utf8_lossy(&request).into_owned());
        match &does {
            Does::ClosesAtOnce | Does::ReadsAndCloses => return,
            Does::Stalls => return tokio::time::sleep(Duration::from_secs(60)).await,
            Does::Answers(bytes) => {
                let _ = socket.write_all(bytes).await;
                let _ = socket.shutdown().await;
                return;
            }
            Does::Dribbles(bytes) => {
                for byte in bytes {
                    let _ = socket.write_all(&[*byte]).await;
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                return;
            }
            Does::Keeps(bytes) => {
                let _ = socket.write_all(bytes).await;
            }
            Does::Hashes => {
                let end = request.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
                let head = String::from_utf8_lossy(&request[..end]).to_lowercase();
                let length = head.split_once("content-length: ").unwrap().1.split_once('\r').unwrap().0;
                let mut left = length.parse::<usize>().unwrap() - (request.len() - end);
                let mut hash = Sha256::new_with_prefix(&request[end..]);
                while left > 0 {
                    let n = socket.read(&mut buffer).await.unwrap();
                    hash.update(&buffer[..n]);
                    left -= n;
                }
                let hash: Vec<u8> = hash.finalize().to_vec();
                let _ = socket.write_all(&ok("", &hash)).await;
            }
        }
    }
}

fn network() -> Network {
    Network::new(&NetworkSetup {
        timeout: Duration::from_millis(800),
        connect_timeout: Duration::from_millis(300),
        read_timeout: Duration::from_millis(500),
        // a machine without any certificates must pass too
        extra_ca: Some(concat!(env!("CARGO_MANIFEST_DIR"), "/src/http/testdata/ca.pem").into()),
    })
    .unwrap()
}

fn request(method: &str, url: &Url) -> WireRequest<Payload> {
    let body = (method == "POST").then(|| Payload::from(Bytes::from_static(b"{\"a\":1}")));
    WireRequest {
        method: method.into(),
        url: url.clone(),
        headers: vec![("X-Own".into(), "1".into())],
        body,
        for_file: false,
    }
}

fn ok(headers: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes =
        format!("HTTP/1.1 200 OK\r\n{headers}content-length: {}\r\n\r\n", body.len()).into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

fn unknown(answer: Result<WireResponse, NoAnswer>) -> String {
    match answer {
        Err(NoAnswer::Unknown(message)) => {
            assert!(!message.contains("canary"), "{message}");
            message.replace(|c: char| c.is_ascii_digit(), "")
        }
        other => panic!("{other:?}"),
    }
}

fn not_sent(answer: Result<WireResponse, NoAnswer>) -> String {
    match answer {
        Err(NoAnswer::NotSent(message)) => {
            assert!(!message.contains("canary"), "{message}");
            message
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_answer_comes_through() {
    let server = server(Does::Answers(ok("X-Thing: A\r\nx-thing: b\r\n", b"{\"a\":1}"))).await;
    let response = network().send(request("POST", &server.url)).await.unwrap();
    assert_eq!((response.status, &response.body[..]), (200, &b"{\"a\":1}"[..]));
    assert_eq!(response.headers[..2], [("x-thing".into(), "A".into()), ("x-thing".into(), "b".into())]);
    let head = server.heads.lock().unwrap()[0].to_lowercase();
    assert!(head.starts_with("post /v1/x?secret=canary http/1.1\r\n"), "{head}");
    for line in ["accept-encoding: gzip", "x-own: 1", "user-agent: mapengine/0.", "content-length: 7"] {
        assert!(head.contains(line), "{head}");
    }
}

#[tokio::test]
async fn a_refused_port_is_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    let message = not_sent(network().send(request("POST", &url)).await);
    assert!(
        message.starts_with("cannot connect to http://127.0.0.1:") && message.contains("refused"),
        "{message}"
    );
}

#[tokio::test]
async fn a_name_without_address_is_not_sent() {
    let url = Url::parse("https://no-such-host.invalid/").unwrap();
    let message = not_sent(network().send(request("POST", &url)).await);
    assert!(message.starts_with("cannot connect to https://no-such-host.invalid: "), "{message}");
}

#[tokio::test]
async fn tls_that_fails_is_not_sent() {
    // neither speaks TLS; one answers nonsense, the other nothing
    for does in [
        Does::Answers(b"HTTP/1.1 200 OK\r\n\r\n".to_vec()),
        Does::ReadsAndCloses,
        Does::ClosesAtOnce,
        Does::Stalls,
    ] {
        let server = server(does).await;
        let url = Url::parse(&server.url.as_str().replace("http:", "https:")).unwrap();
        let message = not_sent(network().send(request("POST", &url)).await);
        assert!(message.starts_with("cannot connect to https://127.0.0.1:"), "{message}");
    }
}

#[tokio::test]
async fn plain_http_to_other_machines_is_not_sent() {
    let url = Url::parse("http://shop.example.test/x?secret=canary").unwrap();
    assert_eq!(
        not_sent(network().send(request("GET", &url)).await),
        "http://shop.example.test is not https: only an address on this machine may be plain http"
    );
}

#[tokio::test]
async fn a_broken_header_or_method_is_not_sent() {
    let server = server(Does::Answers(ok("", b""))).await;
    let mut split = request("GET", &server.url);
    split.headers.push(("x-key".into(), "canary\r\nx-admin: yes".into()));
    assert_eq!(
        not_sent(network().send(split).await),
        "header \"x-key\" cannot be sent: its name or value holds a forbidden character"
    );
    assert_eq!(not_sent(network().send(request("GET X", &server.url)).await), "\"GET X\" is no HTTP method");
    assert_eq!(server.seen(), 0);
}

#[tokio::test]
async fn a_connection_that_closes_is_unknown() {
    for does in [
        Does::ClosesAtOnce,
        Does::ReadsAndCloses,
        Does::Answers(b"HTTP/1.1 20".to_vec()),
        Does::Answers(b"\x00\xffnoise\r\n\r\n".to_vec()),
    ] {
        let server = server(does).await;
        let message = unknown(network().send(request("POST", &server.url)).await);
        assert!(
            message.starts_with("the connection to http://...: broke before an answer came: "),
            "{message}"
        );
        assert!(server.seen() <= 1);
    }
}

#[tokio::test]
async fn a_stall_is_unknown() {
    let server = server(Does::Stalls).await;
    let message = unknown(network().send(request("POST", &server.url)).await);
    assert_eq!(message, "http://...: did not answer within . s");
    assert_eq!(server.seen(), 1);
}

#[tokio::test]
async fn a_dribble_is_cut_at_the_end_of_its_time() {
    let server = server(Does::Dribbles(ok("", &[b'x'; 1000]))).await;
    let begun = std::time::Instant::now();
    unknown(network().send(request("GET", &server.url)).await);
    // dribbled to its end it would take a minute
    assert!(begun.elapsed() < Duration::from_secs(30));
}

#[tokio::test]
async fn a_cut_body_is_unknown() {
    let mut short = ok("", b"{\"guid\":\"1\"}");
    short.truncate(short.len() - 4);
    let chunk = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\nZZ\r\n".to_vec();
    for bytes in [short, chunk] {
        let server = server(Does::Answers(bytes)).await;
        let message = unknown(network().send(request("POST", &server.url)).await);
        assert!(message.starts_with("http://...: answered , but its body is cut ("), "{message}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = server(Does::Answers(ok("", b"{}"))).await;
    for status in [301, 302, 303, 307, 308] {
        let head =
            format!("HTTP/1.1 {status} Moved\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n", elsewhere.url);
        let server = server(Does::Answers(head.into_bytes())).await;
        for method in ["GET", "POST"] {
            let response = network().send(request(method, &server.url)).await.unwrap();
            assert_eq!(response.status, status);
        }
        assert_eq!((server.seen(), elsewhere.seen()), (2, 0));
    }
}

#[tokio::test]
async fn gzip_is_undone_and_a_bomb_refused() {
    let gzip = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let good = server(Does::Answers(ok("content-encoding: gzip\r\n", &gzip(b"[1]")))).await;
    let response = network().send(request("GET", &good.url)).await.unwrap();
    assert_eq!(&response.body[..], b"[1]");
    assert_eq!(response.header("content-encoding"), None);

    // 521 KB that would become 512 MiB: one block that stands for a mebibyte of zeros, many times
    let mut block = Vec::with_capacity(4096);
    let mut deflate = Compress::new(Compression::best(), false);
    deflate.compress_vec(&vec![0; 1024 * 1024], &mut block, FlushCompress::Full).unwrap();
    let mut bomb = b"\x1f\x8b\x08\0\0\0\0\0\0\x03".to_vec();
    bomb.extend(block.repeat(512));
    assert!((500_000..560_000).contains(&bomb.len()), "{}", bomb.len());
    let bomb = server(Does::Answers(ok("content-encoding: gzip\r\n", &bomb))).await;
    assert_eq!(
        unknown(network().send(request("GET", &bomb.url)).await),
        "http://...: answered , but its body grows more than  times when it is decompressed"
    );
}

#[tokio::test]
async fn a_gigabyte_is_refused_by_its_length() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\nxxx".to_vec();
    let server = server(Does::Answers(head)).await;
    assert_eq!(
        unknown(network().send(request("GET", &server.url)).await),
        "http://...: answered , but its body is larger than  MiB"
    );
}

#[tokio::test]
async fn a_file_larger_than_any_other_answer_goes_from_disk_to_wire() {
    let size = LARGEST + 1_000_003;
    let all: Vec<u8> = (0..size).map(|n| (n % 251) as u8).collect();
    let there = server(Does::Answers(ok("", &all))).await;
    let patient =
        Network::new(&NetworkSetup { timeout: Duration::from_secs(30), ..Default::default() }).unwrap();
    let asked = WireRequest { for_file: true, ..request("GET", &there.url) };
    let response = patient.send(asked).await.unwrap();
    let file = response.file.unwrap();
    assert_eq!((response.body.len(), file.len()), (0, size));
    // what is no file is not so large
    assert_eq!(
        unknown(patient.send(request("GET", &there.url)).await),
        "http://...: answered , but its body is larger than  MiB"
    );
    // sent twice: with its length told, and with the very bytes
    let here = server(Does::Hashes).await;
    for _ in 0..2 {
        let body = FileBody {
            name: "a.pdf".into(),
            media: "application/pdf".into(),
            content: file.clone(),
            field: None,
            related: Vec::new(),
        };
        let (body, _) = body.body(None);
        let sent =
            patient.send(WireRequest { body: Some(body), ..request("POST", &here.url) }).await.unwrap();
        assert_eq!(&sent.body[..], &Sha256::digest(&all)[..]);
    }
    let heads = here.heads.lock().unwrap().clone();
    let told = format!("content-length: {size}");
    assert!(heads.iter().all(|head| head.to_lowercase().contains(&told)));
    // a refusal is no file
    let refused = b"HTTP/1.1 404 Not Found\r\ncontent-length: 4\r\n\r\ngone".to_vec();
    let refused = server(Does::Answers(refused)).await;
    let response =
        patient.send(WireRequest { for_file: true, ..request("GET", &refused.url) }).await.unwrap();
    assert_eq!((&response.body[..], response.file), (&b"gone"[..], None));
}

#[tokio::test]
async fn connections_are_used_again() {
    let server = server(Does::Keeps(ok("", b"[]"))).await;
    let network = network();
    for _ in 0..3 {
        network.send(request("GET", &server.url)).await.unwrap();
        network.send(request("POST", &server.url)).await.unwrap();
    }
    assert_eq!(server.seen(), 6);
}

#[test]
fn a_bad_certificate_file_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ca.pem");
    let setup = NetworkSetup { extra_ca: Some(path.clone()), ..NetworkSetup::default() };
    let message = Network::new(&setup).unwrap_err();
    assert!(
        message.starts_with(&format!("cannot read the certificates in {}: ", path.display())),
        "{message}"
    );
    std::fs::write(&path, "hello").unwrap();
    assert_eq!(
        Network::new(&setup).unwrap_err(),
        format!("{} holds no certificates in PEM form", path.display())
    );
}
