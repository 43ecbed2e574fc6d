//! From inflated rows to pixels in reading order: filters undone, samples unpacked, interlacing resolved.

use png::BitDepth;

use super::fault::PngFault;
use super::header::Header;

/// The samples of every pixel in reading order, one byte each, or two at 16 bits. `inflated` has the length that the
/// header promises.
///
/// # Errors
///
/// [`PngFault::Undecodable`] when a row has a filter that does not exist.
pub(super) fn arrange(header: &Header, inflated: Vec<u8>) -> Result<Vec<u8>, PngFault> {
    match header.bytes_per_pixel() {
        1 => arranged::<1>(header, inflated),
        2 => arranged::<2>(header, inflated),
        3 => arranged::<3>(header, inflated),
        4 => arranged::<4>(header, inflated),
        6 => arranged::<6>(header, inflated),
        _ => arranged::<8>(header, inflated),
    }
}

/// `N` bytes a pixel; where a byte packs several pixels, 1.
fn arranged<const N: usize>(header: &Header, mut inflated: Vec<u8>) -> Result<Vec<u8>, PngFault> {
    let width = header.width as usize;
    let mut pixels = vec![[0; N]; width * header.height as usize];
    let mut rest = inflated.as_mut_slice();
    for pass in header.passes().filter(|pass| pass.width > 0) {
        let row_len = header.row_len(pass.width);
        let first = vec![0; row_len];
        let mut above = first.as_slice();
        let targets = pixels.chunks_exact_mut(width).skip(pass.y as usize).step_by(pass.dy as usize);
        let (rows, later) = rest.split_at_mut((row_len + 1) * pass.height as usize);
        for (target, row) in targets.zip(rows.chunks_exact_mut(row_len + 1)) {
            let [filter, row @ ..] = row else { continue };
            undo::<N>(*filter, above, row)?;
            let places = target.iter_mut().skip(pass.x as usize).step_by(pass.dx as usize);
            match header.bit_depth {
                BitDepth::Eight | BitDepth::Sixteen => {
                    places.zip(row.as_chunks().0).for_each(|(place, pixel)| *place = *pixel);
                }
                depth => places.zip(unpacked(depth, row)).for_each(|(place, sample)| *place = [sample; N]),
            }
            above = row;
        }
        rest = later;
    }
    Ok(pixels.into_flattened())
}

/// The samples that a row packs, the last byte's padding included.
fn unpacked(depth: BitDepth, row: &[u8]) -> impl Iterator<Item = u8> {
    let bits = depth as usize;
    let mask = u8::MAX >> (8 - bits);
    row.iter().flat_map(move |byte| (0..8 / bits).rev().map(move |place| (byte >> (place * bits)) & mask))
}

/// Undoes the filter of a row of `N` bytes a pixel, given the row above it, which is whole again already.
fn undo<const N: usize>(filter: u8, above: &[u8], row: &mut [u8]) -> Result<(), PngFault> {
    match filter {
        0 => {}
        1 => add::<N>(above, row, |left, _, _| left),
        2 => row.iter_mut().zip(above).for_each(|(byte, above)| *byte = byte.wrapping_add(*above)),
        3 => add::<N>(above, row, |left, above, _| u8::midpoint(left, above)),
        4 => add::<N>(above, row, paeth),
        unknown => return Err(PngFault::Undecodable(format!("unknown filter method {unknown}"))),
    }
    Ok(())
}

/// Adds to each byte what `predict` makes of the bytes to the left, above, and above to the left.
fn add<const N: usize>(above: &[u8], row: &mut [u8], predict: impl Fn(u8, u8, u8) -> u8) {
    let (mut left, mut corner) = ([0; N], [0; N]);
    for (pixel, above) in row.as_chunks_mut::<N>().0.iter_mut().zip(above.as_chunks::<N>().0) {
        for (((byte, left), above), corner) in pixel.iter_mut().zip(left).zip(above).zip(corner) {
            *byte = byte.wrapping_add(predict(left, *above, corner));
        }
        (left, corner) = (*pixel, *above);
    }
}

/// Whichever of the three is nearest to left + above - corner; of equally near ones the first.
fn paeth(left: u8, above: u8, corner: u8) -> u8 {
    let estimate = i16::from(left) + i16::from(above) - i16::from(corner);
    let distance = |neighbour: u8| estimate.abs_diff(i16::from(neighbour));
    let (to_left, to_above, to_corner) = (distance(left), distance(above), distance(corner));
    if to_left <= to_above && to_left <= to_corner {
        left
    } else if to_above <= to_corner {
        above
    } else {
        corner
    }
}
