//! The body of a request, up to a limit.

use std::pin::pin;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::{Body, Bytes};

/// The limit for a whole body to arrive.
const WITHIN: Duration = Duration::from_mins(1);
/// Bytes of a body beyond its limit that are read and dropped. Its sender would otherwise write into a closed connection, and never read the
/// answer.
const DROPPED: usize = 64 * 1024 * 1024;

/// Why a body was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unread {
    /// It is longer than the limit.
    TooLarge,
    TooSlow,
    /// The connection ended before it.
    BrokenOff,
}

/// Reads a body of at most `limit` bytes. Of a longer one, [`Unread::TooLarge`] comes after its end, so that its sender reads the answer.
pub async fn read<B: Body<Data = Bytes>>(body: B, limit: usize) -> Result<Bytes, Unread> {
    tokio::time::timeout(WITHIN, collected(body, limit)).await.unwrap_or(Err(Unread::TooSlow))
}

async fn collected<B: Body<Data = Bytes>>(body: B, limit: usize) -> Result<Bytes, Unread> {
    let mut body = pin!(body);
    let (mut kept, mut size) = (Vec::<Bytes>::new(), 0);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Unread::BrokenOff)?;
        let Ok(data) = frame.into_data() else { continue };
        size += data.len();
        if size <= limit {
            kept.push(data);
        } else if size - limit > DROPPED {
            break;
        }
    }
    match &kept[..] {
        _ if size > limit => Err(Unread::TooLarge),
        [whole] => Ok(whole.clone()),
        parts => Ok(parts.concat().into()),
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::{StreamExt, stream};
    use http_body_util::{Full, StreamBody};
    use hyper::body::Frame;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_slow_body_is_given_up() {
        let endless = StreamBody::new(stream::pending::<Result<Frame<Bytes>, Infallible>>());
        assert_eq!(read(endless, 10).await, Err(Unread::TooSlow));
    }

    #[tokio::test]
    async fn a_body_has_at_most_its_limit() {
        let text = Bytes::from_static(b"12345");
        assert_eq!(read(Full::new(text.clone()), 5).await, Ok(text.clone()));
        assert_eq!(read(Full::new(text.clone()), 4).await, Err(Unread::TooLarge));
        let broken = stream::iter([Ok(Frame::data(text)), Err("reset")]);
        assert_eq!(read(StreamBody::new(broken), 10).await, Err(Unread::BrokenOff));
    }

    #[tokio::test]
    async fn the_rest_of_a_large_body_is_read_up_to_a_bound() {
        const MEGABYTE: usize = 1024 * 1024;
        let read_of = async |megabytes: usize| {
            let taken = AtomicUsize::new(0);
            let parts = stream::iter(std::iter::repeat_n(Bytes::from(vec![0; MEGABYTE]), megabytes));
            let body = StreamBody::new(parts.map(|part| {
                taken.fetch_add(1, Ordering::Relaxed);
                Ok::<_, Infallible>(Frame::data(part))
            }));
            assert_eq!(read(body, 2 * MEGABYTE).await, Err(Unread::TooLarge));
            taken.into_inner()
        };
        assert_eq!(read_of(10).await, 10);
        assert_eq!(read_of(1000).await, 2 + 64 + 1);
    }
}
