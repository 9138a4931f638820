//! The body of a request: read whole before it is handled, so that a refusal reaches whoever is still sending.

use std::sync::Arc;

use akkaflow_model::error::ErrorCode;
use akkaflow_model::text::Text;
use axum::body::{Body, BodyDataStream};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures::StreamExt as _;

use crate::app::App;
use crate::failure::Failure;

/// How many times the limit is read off and thrown away. Closing a connection with unread bytes resets it, and a reset
/// takes the answer with it.
const DRAINED: usize = 16;

/// Answers 400 to a body that is larger than the limit or breaks off.
pub(crate) async fn read_whole(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Response {
    let limit = app.options.max_body_bytes;
    let (parts, body) = request.into_parts();
    match collect(body.into_data_stream(), limit).await {
        Ok(bytes) => {
            next.run(Request::from_parts(parts, Body::from(bytes)))
                .await
        }
        Err(text) => Failure::new(ErrorCode::Invalid, text).into_response(),
    }
}

async fn collect(mut stream: BodyDataStream, limit: usize) -> Result<Vec<u8>, Text> {
    let mut bytes = Vec::new();
    let mut length = 0;
    while let Some(piece) = stream.next().await {
        let piece = piece.map_err(|_| broken())?;
        length += piece.len();
        if length <= limit {
            bytes.extend_from_slice(&piece);
        } else if length > limit * DRAINED {
            break;
        }
    }
    if length > limit {
        return Err(too_large(limit));
    }
    Ok(bytes)
}

fn broken() -> Text {
    Text::new("请求体读取失败", "the body of the request cannot be read")
}

fn too_large(limit: usize) -> Text {
    Text::new(
        format!("请求体超过{limit}字节的上限"),
        format!("the body of the request is larger than {limit} bytes"),
    )
}
