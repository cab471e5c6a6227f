//! The stand-ins over real HTTP, on this machine only.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::http::{Request, Response, StatusCode, header};

use super::line::{Breaker, Lines};
use super::stand::{Outcome, Stand};
use crate::http::{WireRequest, WireResponse};

/// The largest body that is read.
const LARGEST_BODY: usize = crate::http::LARGEST_FILE + 1024 * 1024;
/// How long nothing comes where nothing comes any more: longer than anybody waits.
const SILENCE: Duration = Duration::from_secs(3600);
/// The pause between two bytes of an answer that dribbles.
const BETWEEN_BYTES: Duration = Duration::from_millis(200);

/// A stand-in that is served until this is dropped.
pub struct Served {
    /// Where it listens.
    pub address: SocketAddr,
    /// The stand-in itself, for looking at what was asked.
    pub stand: Arc<Mutex<Stand>>,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // a server that is gone already needs no word
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Serves a stand-in on 127.0.0.1; port 0 is a free one. `delay`: how long each answer takes.
///
/// # Errors
/// Where the port cannot be had.
pub fn serve(stand: Stand, port: u16, delay: Duration) -> std::io::Result<Served> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", port))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let stand = Arc::new(Mutex::new(stand));
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let shared = Arc::clone(&stand);
    let thread = std::thread::Builder::new().name("sandbox".into()).spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async move {
            let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
            let shared = Shared { stand: shared, address, delay, start: Instant::now() };
            let app = axum::Router::new().fallback(answer).with_state(shared);
            let service = app.into_make_service_with_connect_info::<Breaker>();
            let served = async { axum::serve(Lines(listener), service).await };
            tokio::select! {
                _ = served => {}
                _ = stopped => {}
            }
        });
    })?;
    Ok(Served { address, stand, stop: Some(stop), thread: Some(thread) })
}

/// What every request needs.
#[derive(Clone)]
struct Shared {
    stand: Arc<Mutex<Stand>>,
    address: SocketAddr,
    delay: Duration,
    start: Instant,
}

async fn answer(
    State(shared): State<Shared>,
    ConnectInfo(breaker): ConnectInfo<Breaker>,
    request: Request<Body>,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, LARGEST_BODY).await else {
        return status(StatusCode::PAYLOAD_TOO_LARGE);
    };
    // links and locations lead to where the client looked for us
    let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).map(str::to_owned);
    let host = host.unwrap_or_else(|| shared.address.to_string());
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let Ok(url) = url::Url::parse(&format!("http://{host}{path}")) else {
        return status(StatusCode::BAD_REQUEST);
    };
    let headers = parts
        .headers
        .iter()
        .map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect();
    let request = WireRequest {
        method: parts.method.as_str().to_owned(),
        url,
        headers,
        body: (!body.is_empty()).then_some(body),
        for_file: false,
    };
    let outcome = match shared.stand.lock() {
        Ok(mut stand) => {
            stand.pass(shared.start.elapsed());
            stand.tell_time(jiff::Timestamp::now().as_millisecond());
            stand.handle(&request)
        }
        Err(_) => return status(StatusCode::INTERNAL_SERVER_ERROR),
    };
    if !shared.delay.is_zero() {
        tokio::time::sleep(shared.delay).await;
    }
    match outcome {
        Outcome::Answer(response) => head(&response, Body::from(response.body.clone())),
        Outcome::Slow(response, pause) => {
            tokio::time::sleep(pause).await;
            head(&response, Body::from(response.body.clone()))
        }
        Outcome::Dribble(response) => head(&response, dribble(response.body.clone())),
        Outcome::Cut(response) => {
            let half = response.body.slice(..response.body.len() / 2);
            let parts = [Ok(half), Err(std::io::Error::other("cut by a sandbox fault"))];
            head(&response, Body::from_stream(futures_util::stream::iter(parts)))
        }
        // a server cannot refuse who is connected: it closes before it does anything
        Outcome::Refused | Outcome::Closed => {
            breaker.cut();
            status(StatusCode::SERVICE_UNAVAILABLE)
        }
        Outcome::Silence => {
            tokio::time::sleep(SILENCE).await;
            status(StatusCode::GATEWAY_TIMEOUT)
        }
    }
}

/// A body that comes a byte at a time.
fn dribble(body: bytes::Bytes) -> Body {
    Body::from_stream(futures_util::stream::unfold(body, |mut rest| async move {
        if rest.is_empty() {
            return None;
        }
        tokio::time::sleep(BETWEEN_BYTES).await;
        let byte = rest.split_to(1);
        Some((Ok::<_, std::io::Error>(byte), rest))
    }))
}

fn head(response: &WireResponse, body: Body) -> Response<Body> {
    let mut builder = Response::builder().status(response.status);
    for (name, value) in &response.headers {
        builder = builder.header(name, value);
    }
    builder.body(body).unwrap_or_else(|_| status(StatusCode::INTERNAL_SERVER_ERROR))
}

fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
