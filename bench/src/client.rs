//! A load generator that costs next to nothing: prepared bytes over kept connections, answers only counted.

use crate::Done;
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Gives the bytes of the n-th request of a connection.
pub(crate) type Requests = Box<dyn FnMut(u64) -> Vec<u8> + Send>;

/// What came of a run.
#[derive(Default)]
pub(crate) struct Answers {
    pub(crate) micros: Vec<u32>,
    pub(crate) seconds: f64,
}

impl Answers {
    pub(crate) fn per_second(&self) -> f64 {
        self.count() / self.seconds
    }

    pub(crate) fn count(&self) -> f64 {
        f64::from(u32::try_from(self.micros.len()).unwrap_or(u32::MAX))
    }

    /// Milliseconds that `percent` of the answers took at most.
    pub(crate) fn percentile(&mut self, percent: usize) -> f64 {
        self.micros.sort_unstable();
        let at = (self.micros.len() * percent / 100).min(self.micros.len().saturating_sub(1));
        f64::from(self.micros.get(at).copied().unwrap_or_default()) / 1000.0
    }
}

pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(to: SocketAddr) -> Done<Connection> {
        let stream = TcpStream::connect(to).await?;
        stream.set_nodelay(true)?;
        Ok(Connection { stream, buffer: Vec::with_capacity(1 << 18) })
    }

    /// Sends a request and reads its answer; what is not 2xx is an error with its text.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> Done<&[u8]> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err("the server closed the connection".into());
            }
            let Some(end) = self.buffer.windows(4).position(|w| w == b"\r\n\r\n").map(|at| at + 4) else {
                continue;
            };
            let head = std::str::from_utf8(&self.buffer[..end])?.to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.ok_or("an answer of unknown length")?.trim().parse()?;
            while self.buffer.len() < end + length {
                if self.stream.read_buf(&mut self.buffer).await? == 0 {
                    return Err("an answer was cut short".into());
                }
            }
            if !head.starts_with("http/1.1 2") {
                let said = String::from_utf8_lossy(&self.buffer);
                return Err(format!("refused:\n{said}").into());
            }
            return Ok(&self.buffer[end..end + length]);
        }
    }
}

/// Every connection asks as fast as it is answered, for so long.
pub(crate) async fn load(to: SocketAddr, connections: Vec<Requests>, lasts: Duration) -> Done<Answers> {
    let begun = Instant::now();
    let tasks: Vec<_> = connections
        .into_iter()
        .map(|mut next| {
            tokio::spawn(async move {
                let mut connection = Connection::open(to).await?;
                let mut micros = Vec::with_capacity(1 << 16);
                let mut n = 0;
                while begun.elapsed() < lasts {
                    let request = next(n);
                    let sent = Instant::now();
                    connection.ask(&request).await?;
                    micros.push(u32::try_from(sent.elapsed().as_micros())?);
                    n += 1;
                }
                Done::Ok(micros)
            })
        })
        .collect();
    let mut answers = Answers::default();
    for task in tasks {
        answers.micros.extend(task.await??);
    }
    answers.seconds = begun.elapsed().as_secs_f64();
    Ok(answers)
}

pub(crate) fn get(path: &str, token: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token}\r\n\r\n").into_bytes()
}

pub(crate) fn post(path: &str, token: &str, body: &str) -> Vec<u8> {
    upload(path, token, "application/json", body)
}

/// An action on a record of this version.
pub(crate) fn act(path: &str, token: &str, version: u64) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token}\r\nif-match: \"{version}\"\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{{}}"
    )
    .into_bytes()
}

pub(crate) fn upload(path: &str, token: &str, kind: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
