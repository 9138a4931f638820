//! A row that several hold at once.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Held by who decides it and by who writes it down: it is copied only when it changes while somebody else still has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Shared<T>(Arc<T>);

impl<T: Clone> Shared<T> {
    /// The row itself.
    pub fn into_inner(self) -> T {
        Arc::unwrap_or_clone(self.0)
    }
}

impl<T> From<T> for Shared<T> {
    fn from(row: T) -> Self {
        Self(Arc::new(row))
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Clone> DerefMut for Shared<T> {
    fn deref_mut(&mut self) -> &mut T {
        Arc::make_mut(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_changes_a_row_leaves_it_to_others_as_it_was() {
        let mut row = Shared::from(vec![1]);
        let seen = row.clone();
        row.push(2);
        assert_eq!((&*row, &*seen), (&vec![1, 2], &vec![1]));
        assert_eq!(row.into_inner(), [1, 2]);
        let json = serde_json::to_string(&seen).unwrap();
        assert_eq!(
            serde_json::from_str::<Shared<Vec<i32>>>(&json).unwrap(),
            seen
        );
    }
}
