//! The stand-ins over real HTTP, on this machine only.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, Response, StatusCode};

use super::stand::{Outcome, Stand};
use crate::http::{WireRequest, WireResponse};

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
            let app = axum::Router::new().fallback(answer).with_state((shared, delay));
            let served = async { axum::serve(listener, app).await };
            tokio::select! {
                _ = served => {}
                _ = stopped => {}
            }
        });
    })?;
    Ok(Served { address, stand, stop: Some(stop), thread: Some(thread) })
}

async fn answer(
    State((stand, delay)): State<(Arc<Mutex<Stand>>, Duration)>,
    request: Request<Body>,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, 32 * 1024 * 1024).await else {
        return status(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let Ok(url) = url::Url::parse(&format!("http://127.0.0.1{}", parts.uri)) else {
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
    };
    let outcome = match stand.lock() {
        Ok(mut stand) => stand.handle(&request),
        Err(_) => return status(StatusCode::INTERNAL_SERVER_ERROR),
    };
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    match outcome {
        Outcome::Answer(response) => plain(response, None),
        Outcome::Cut(response) => {
            let half = response.body.len() / 2;
            plain(response, Some(half))
        }
        // a body that fails at once closes the connection without a whole answer
        Outcome::Refused | Outcome::Closed => {
            plain(WireResponse { status: 200, headers: Vec::new(), body: "x".into() }, Some(0))
        }
        Outcome::Silence => {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            status(StatusCode::GATEWAY_TIMEOUT)
        }
    }
}

fn plain(response: WireResponse, cut: Option<usize>) -> Response<Body> {
    let mut builder = Response::builder().status(response.status);
    for (name, value) in &response.headers {
        builder = builder.header(name, value);
    }
    let body = match cut {
        None => Body::from(response.body),
        Some(at) => {
            let first = response.body.slice(..at);
            let parts: Vec<Result<bytes::Bytes, std::io::Error>> =
                vec![Ok(first), Err(std::io::Error::other("cut by a sandbox fault"))];
            Body::from_stream(futures_util::stream::iter(parts))
        }
    };
    builder.body(body).unwrap_or_else(|_| status(StatusCode::INTERNAL_SERVER_ERROR))
}

fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
