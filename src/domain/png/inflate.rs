//! Zlib streams, inflated within a limit and checked to their last byte.

use flate2::{Decompress, FlushDecompress, Status};

/// The reason why a zlib stream does not inflate.
pub(super) enum InflateFault {
    /// The part with this index, from 0, is where it shows.
    Damaged(usize),
    BreaksOff,
    TooLong,
}

/// The content of a zlib stream.
pub(super) struct Inflated {
    pub(super) bytes: Vec<u8>,
    /// The part in which bytes follow the stream, from 0.
    pub(super) followed_in: Option<usize>,
}

/// The first capacity of the result. Every icon fits; what promises more gets it as it keeps the promise.
const FIRST: usize = 16 << 10;

/// Inflates `parts`, joined, up to `limit` bytes.
pub(super) fn inflate<'a>(
    parts: impl Iterator<Item = &'a [u8]> + Clone,
    limit: usize,
) -> Result<Inflated, InflateFault> {
    let mut stream = Decompress::new(true);
    // One byte more than allowed shows that there is more, and leaves room to find the end of what just fits.
    let mut bytes = Vec::with_capacity(FIRST.min(limit + 1));
    for (index, part) in parts.clone().enumerate() {
        let mut rest = part;
        loop {
            if bytes.len() == bytes.capacity() {
                bytes.reserve_exact(bytes.len().min(limit + 1 - bytes.len()));
            }
            let (consumed, produced) = (stream.total_in(), bytes.len());
            let status = stream
                .decompress_vec(rest, &mut bytes, FlushDecompress::None)
                .map_err(|_| InflateFault::Damaged(index))?;
            let consumed = usize::try_from(stream.total_in() - consumed).unwrap_or(usize::MAX);
            rest = rest.get(consumed..).unwrap_or_default();
            if bytes.len() > limit {
                return Err(InflateFault::TooLong);
            }
            if status == Status::StreamEnd {
                let is_followed =
                    |(later, part): (usize, &[u8])| if later == index { !rest.is_empty() } else { !part.is_empty() };
                let followed_in = parts.enumerate().skip(index).find(|part| is_followed(*part)).map(|(later, _)| later);
                return Ok(Inflated { bytes, followed_in });
            }
            if consumed == 0 && produced == bytes.len() {
                break;
            }
        }
    }
    Err(InflateFault::BreaksOff)
}
