//! The sound of every track as one table of small numbers, searched from end to end: pure. Each
//! value is put on the library's own scale first, so that what all of its tracks have in common
//! does not count.

use std::collections::BinaryHeap;

use crate::media::analysis::{DIMENSIONS, weights};

/// One track's sound, on the scale of its table.
pub(super) type Row = [i8; DIMENSIONS];

/// Steps of one standard deviation, before weights.
const STEP: f32 = 20.0;
/// As many tracks as music at large counts for when the scale is made: a library of three tracks
/// has no scale of its own.
const PRIOR: f64 = 40.0;
/// One standard deviation of music at large, in the steps that vectors are stored in.
const PRIOR_DEVIATION: f64 = 24.0;

/// The table. Rows lie in the order of their ids.
#[derive(Debug, Default)]
pub(super) struct Matrix {
    ids: Vec<i64>,
    libraries: Vec<u32>,
    rows: Vec<Row>,
    /// Squared distance that two tracks have on average.
    usual: f32,
}

/// A track that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Near {
    /// Its row id.
    pub(super) id: i64,
    /// 1.0 sounds the same, 0.5 as unlike as any two, towards 0.0 beyond.
    pub(super) similarity: f32,
}

impl Matrix {
    /// Adds a row as it is stored; ids ascend.
    pub(super) fn push(&mut self, id: i64, library: u32, row: Row) {
        self.ids.push(id);
        self.libraries.push(library);
        self.rows.push(row);
    }

    /// The same, ready to be searched.
    pub(super) fn ready(mut self) -> Self {
        self.ids.shrink_to_fit();
        self.libraries.shrink_to_fit();
        self.rows.shrink_to_fit();
        self.scale();
        self
    }

    /// Tracks in it.
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// The sound of a track; `None` if it was not heard.
    pub(super) fn row(&self, id: i64) -> Option<&Row> {
        self.ids.binary_search(&id).ok().map(|at| &self.rows[at])
    }

    /// How much two sounds are alike.
    pub(super) fn similarity(&self, one: &Row, other: &Row) -> f32 {
        self.likeness(distance(one, other))
    }

    /// The `count` tracks nearest to a sound of those in libraries that may be seen, nearest
    /// first; `skip` leaves some out.
    pub(super) fn nearest(
        &self,
        to: &Row,
        count: usize,
        may_see: impl Fn(u32) -> bool,
        skip: impl Fn(i64) -> bool,
    ) -> Vec<Near> {
        let mut best: BinaryHeap<(u32, usize)> = BinaryHeap::with_capacity(count + 1);
        let mut farthest = u32::MAX;
        // Libraries come in runs.
        let mut seen = (None, false);
        for (at, row) in self.rows.iter().enumerate() {
            let distance = distance(to, row);
            if farthest <= distance {
                continue;
            }
            let library = self.libraries[at];
            if seen.0 != Some(library) {
                seen = (Some(library), may_see(library));
            }
            if !seen.1 || skip(self.ids[at]) {
                continue;
            }
            best.push((distance, at));
            if count < best.len() {
                best.pop();
            }
            if count <= best.len() {
                farthest = best.peek().map_or(0, |worst| worst.0);
            }
        }
        let near = |(distance, at): (u32, usize)| Near {
            id: self.ids[at],
            similarity: self.likeness(distance),
        };
        best.into_sorted_vec().into_iter().map(near).collect()
    }

    fn likeness(&self, distance: u32) -> f32 {
        if self.usual <= 0.0 { 0.0 } else { (-(distance as f32) / self.usual).exp2() }
    }

    /// Puts every value on a scale on which the library's tracks differ by one step on average,
    /// weighted.
    fn scale(&mut self) {
        let weights = weights();
        self.usual = 2.0 * STEP * STEP * weights.iter().map(|weight| weight * weight).sum::<f32>();
        let count = self.rows.len() as f64 + PRIOR;
        let (mut means, mut squares) = ([0.0_f64; DIMENSIONS], [0.0_f64; DIMENSIONS]);
        for row in &self.rows {
            for (mean, value) in means.iter_mut().zip(row) {
                *mean += f64::from(*value) / count;
            }
        }
        for row in &self.rows {
            for ((square, value), mean) in squares.iter_mut().zip(row).zip(&means) {
                *square += (f64::from(*value) - mean).powi(2) / count;
            }
        }
        let scaled: [[i8; 256]; DIMENSIONS] = std::array::from_fn(|at| {
            let prior = PRIOR / count * (PRIOR_DEVIATION.powi(2) + means[at].powi(2));
            let deviation = (squares[at] + prior).sqrt().max(1.0);
            let factor = f64::from(STEP * weights[at]) / deviation;
            std::array::from_fn(|byte| {
                let value = f64::from((byte as u8).cast_signed());
                ((value - means[at]) * factor).round().clamp(-127.0, 127.0) as i8
            })
        });
        for row in &mut self.rows {
            for (value, scaled) in row.iter_mut().zip(&scaled) {
                *value = scaled[usize::from(value.cast_unsigned())];
            }
        }
    }
}

/// A point on the way from one sound to another; `share` 0 is the first.
pub(super) fn between(from: &Row, to: &Row, share: f32) -> Row {
    std::array::from_fn(|at| {
        let (from, to) = (f32::from(from[at]), f32::from(to[at]));
        (from + (to - from) * share).round() as i8
    })
}

/// Squared distance. Plain loops over arrays of known length: the compiler makes wide
/// instructions of them.
fn distance(one: &Row, other: &Row) -> u32 {
    let mut sum = 0_i32;
    for (one, other) in one.iter().zip(other) {
        let by = i32::from(i16::from(*one) - i16::from(*other));
        sum += by * by;
    }
    sum.cast_unsigned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix() -> Matrix {
        let row = |value: i8| {
            let mut row = [0; DIMENSIONS];
            row[0] = value;
            row[5] = value / 2;
            row
        };
        let mut matrix = Matrix::default();
        for (id, library, value) in [(1, 1, 0), (2, 1, 30), (3, 2, 33), (5, 1, 60), (6, 1, -90)] {
            matrix.push(id, library, row(value));
        }
        matrix.ready()
    }

    fn ids(found: &[Near]) -> Vec<i64> {
        found.iter().map(|near| near.id).collect()
    }

    #[test]
    fn the_nearest_comes_first_and_hidden_libraries_do_not_come() {
        let matrix = matrix();
        let from = *matrix.row(2).unwrap();
        let all = matrix.nearest(&from, 3, |_| true, |id| id == 2);
        assert_eq!(ids(&all), [3, 1, 5]);
        assert!(all.is_sorted_by(|a, b| a.similarity >= b.similarity));
        assert_eq!(ids(&matrix.nearest(&from, 2, |library| library == 1, |id| id == 2)), [1, 5]);
        assert!(matrix.nearest(&from, 0, |_| true, |_| false).is_empty());
        assert_eq!(matrix.nearest(&from, 50, |_| true, |_| false).len(), matrix.len());
        assert!((matrix.similarity(&from, &from) - 1.0).abs() < 1e-6);
        assert_eq!(matrix.row(4), None);
        assert_eq!(Matrix::default().nearest(&from, 5, |_| true, |_| false), []);
    }

    #[test]
    fn the_way_begins_and_ends_where_it_should() {
        let (from, to) = ([-100; DIMENSIONS], [100; DIMENSIONS]);
        assert_eq!(between(&from, &to, 0.0), from);
        assert_eq!(between(&from, &to, 1.0), to);
        assert_eq!(between(&from, &to, 0.5), [0; DIMENSIONS]);
    }

    #[test]
    fn no_distance_overflows() {
        let far = distance(&[-128; DIMENSIONS], &[127; DIMENSIONS]);
        assert_eq!(far, 255 * 255 * DIMENSIONS as u32);
    }
}
