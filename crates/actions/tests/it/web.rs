//! A web service of a test's own, spoken byte by byte: what is sent is seen as it is.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

/// A service that answers every call with the same bytes.
pub(crate) struct Web {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Web {
    /// Answers with a status, headers that end in a line break each, and a body.
    pub(crate) fn answering(status: &str, headers: &str, body: &str) -> Self {
        let length = body.len();
        let answer =
            format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{headers}\r\n{body}");
        Self::saying(answer.into_bytes())
    }

    /// Answers with whatever bytes.
    pub(crate) fn saying(answer: Vec<u8>) -> Self {
        Self::with(move |mut stream| {
            // Whoever does not read all of it hangs up.
            let _ = stream.write_all(&answer);
        })
    }

    /// Answers with the files below a directory, several at a time.
    pub(crate) fn serving(directory: &Path) -> Self {
        let directory = directory.to_owned();
        Self::hearing(move |request, mut stream| {
            let path = request.split(' ').nth(1).unwrap().trim_start_matches('/');
            let mut file = File::open(directory.join(path)).unwrap();
            std::thread::spawn(move || {
                let length = file.metadata().unwrap().len();
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
                // Whoever does not read all of it hangs up.
                let _ = stream.write_all(head.as_bytes());
                let _ = std::io::copy(&mut file, &mut stream);
            });
        })
    }

    /// Does something once the request is read.
    pub(crate) fn with(answer: impl Fn(TcpStream) + Send + 'static) -> Self {
        Self::hearing(move |_, stream| answer(stream))
    }

    fn hearing(answer: impl Fn(&str, TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let heard = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                let request = read_request(&stream);
                heard.lock().unwrap().push(request.clone());
                answer(&request, stream);
            }
        });
        Self { url, asked }
    }

    /// The requests so far, as they came.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn read_request(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    format!("{head}\n{}", String::from_utf8(body).unwrap())
}
