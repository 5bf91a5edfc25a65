//! Means and spreads of values as they come, and order statistics of those that were kept.

/// Mean and standard deviation, one value at a time (Welford).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Spread {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Spread {
    pub(super) fn add(&mut self, value: f32) {
        let value = f64::from(value);
        self.count += 1.0;
        let delta = value - self.mean;
        self.mean += delta / self.count;
        self.squares += delta * (value - self.mean);
    }

    pub(super) fn mean(&self) -> f32 {
        self.mean as f32
    }

    pub(super) fn deviation(&self) -> f32 {
        if self.count < 2.0 { 0.0 } else { (self.squares / self.count).max(0.0).sqrt() as f32 }
    }
}

/// The value below which this share of them lies; 0 without any.
pub(super) fn quantile(sorted: &[f32], share: f32) -> f32 {
    let at = (share * sorted.len().saturating_sub(1) as f32).round() as usize;
    sorted.get(at).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spread_is_that_of_the_textbook() {
        let mut spread = Spread::default();
        for value in [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0] {
            spread.add(value);
        }
        assert!((spread.mean() - 5.0).abs() < 1e-6);
        assert!((spread.deviation() - 2.0).abs() < 1e-6);
        assert!(Spread::default().deviation().abs() < f32::EPSILON);
    }

    #[test]
    fn quantiles_are_values_that_are_there() {
        let sorted = [1.0, 2.0, 3.0, 4.0, 5.0];
        assert!((quantile(&sorted, 0.5) - 3.0).abs() < f32::EPSILON);
        assert!((quantile(&sorted, 1.0) - 5.0).abs() < f32::EPSILON);
        assert!(quantile(&[], 0.5).abs() < f32::EPSILON);
    }
}
