//! Who pays for bytes that lie on the disk once and belong to several: each owner the whole, the
//! first one, or all of them a part.

use serde::{Deserialize, Serialize};

/// What owners of a shared copy are charged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SharedCopies {
    /// Each the whole size, as if it were his alone. Tells nobody that there are others.
    #[default]
    Full,
    /// The one who had it first; when he lets it go, the next. Who pays nothing learns by that that
    /// somebody here has it.
    FirstOwner,
    /// Each a part; the first ones a byte more where it does not divide.
    Split,
}

impl SharedCopies {
    /// As rows and the API write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::FirstOwner => "first-owner",
            Self::Split => "split",
        }
    }

    /// Reads the same.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Full, Self::FirstOwner, Self::Split].into_iter().find(|one| one.as_str() == text)
    }
}

/// What each of so many owners is charged for `size` bytes, in the order in which they came.
pub(crate) fn charges(policy: SharedCopies, size: u64, owners: usize) -> Vec<u64> {
    let count = owners as u64;
    (0..count)
        .map(|place| match policy {
            SharedCopies::Full => size,
            SharedCopies::FirstOwner => {
                if place == 0 {
                    size
                } else {
                    0
                }
            }
            SharedCopies::Split => size / count + u64::from(place < size % count),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn three_owners_of_ten_bytes() {
        assert_eq!(charges(SharedCopies::Full, 10, 3), [10, 10, 10]);
        assert_eq!(charges(SharedCopies::FirstOwner, 10, 3), [10, 0, 0]);
        assert_eq!(charges(SharedCopies::Split, 10, 3), [4, 3, 3]);
        assert!(charges(SharedCopies::Split, 10, 0).is_empty());
    }

    proptest! {
        #[test]
        fn what_is_stored_once_is_paid_once(size in 0..u64::MAX / 2, owners in 1_usize..50) {
            for policy in [SharedCopies::FirstOwner, SharedCopies::Split] {
                let paid: u64 = charges(policy, size, owners).iter().sum();
                prop_assert_eq!(paid, size);
            }
            let parts = charges(SharedCopies::Split, size, owners);
            prop_assert!(parts.iter().max().unwrap() - parts.iter().min().unwrap() <= 1);
        }
    }
}
